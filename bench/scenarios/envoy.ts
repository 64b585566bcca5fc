import { alternate } from '../alternate.js';
import type { Protocol } from '../load/clients/make-text-client.js';
import { type AnsweredPass, TextLoad } from '../load/text-load.js';
import { processorTime, timeBetween } from '../processor-time.js';
import { EnvoyProcess } from '../reference/envoy-process.js';
import type { Findings, Measurement, Scenario, ScenarioContext } from '../scenario.js';
import {
  type BesideRounds,
  besideChart,
  besideNumbers,
  type Contender,
  compareWithFirst,
  describeTextPass,
  IN_FLIGHT,
} from './beside.js';

/** Passes over the texts while they are in the cache: one alone would be over before anything is warm. */
const CACHED_REPEATS = 8;

/** A pass with what it cost Envoy, in microseconds of CPU time per call. */
interface EnvoyPass extends AnsweredPass {
  readonly envoyUs: number;
}

/** What Envoy costs: the same calls to the same server, straight and through it, as gRPC and as JSON. */
export const envoy: Scenario = {
  name: 'envoy',
  summary: 'Unary calls through Envoy, JSON over HTTP/1.1 and gRPC, beside direct gRPC; computed and cached.',
  bars: [],
  run,
};

async function run(context: ScenarioContext): Promise<Findings> {
  const { models, inputs, processes, threads, signal } = context;
  const model = models.get();
  const server = await processes.server(model.serverSettings(threads));
  const proxy = processes.add(await EnvoyProcess.start(server.address, signal));
  const texts = inputs.sst2(context.texts);
  const contender = (title: string, protocol: Protocol, address: string): Contender => {
    return { title, protocol, address, model: model.name };
  };
  const contenders = [
    contender('gRPC, direct', 'verdict-unary', server.address),
    contender('gRPC through Envoy', 'verdict-unary', proxy.address),
    contender('JSON through Envoy', 'verdict-http', proxy.address),
  ];
  const byLabel = new Map<string, BesideRounds>();
  const measurements: Measurement[] = [];
  for (const label of ['computed', 'cached'] as const) {
    const rounds = await takeTurns(context, { contenders, texts, label, envoyPid: proxy.pid });
    byLabel.set(label, rounds);
    measurements.push(
      ...compareWithFirst(contenders, rounds, label),
      ...envoyCost(contenders, rounds, label),
    );
  }
  return {
    measurements,
    rounds: besideNumbers(byLabel),
    facts: { 'load generator': 'gRPC on one connection, JSON on one kept connection per call under way' },
    charts: [
      besideChart(
        'What Envoy costs',
        `${model.title}, ${threads} threads, ${IN_FLIGHT} calls in flight, SST-2, all on the same cores`,
        byLabel,
        contenders,
      ),
    ],
  };
}

async function takeTurns(
  context: ScenarioContext,
  options: {
    readonly contenders: readonly Contender[];
    readonly texts: readonly string[];
    readonly label: 'computed' | 'cached';
    readonly envoyPid: number;
  },
): Promise<readonly Readonly<Record<string, EnvoyPass>>[]> {
  const { contenders, texts, label, envoyPid } = options;
  const isCached = label === 'cached';
  const repeats = isCached && !context.short ? CACHED_REPEATS : 1;
  const order = Array.from({ length: repeats * texts.length }, (_, n) => n % texts.length);
  const passes: Record<string, () => Promise<EnvoyPass>> = {};
  for (const { title, ...rest } of contenders) {
    const target = { ...rest, bypassCache: !isCached, maxInFlight: IN_FLIGHT };
    const load = await TextLoad.start(context.processes, target, texts);
    if (isCached) await load.pass({ inFlight: IN_FLIGHT });
    passes[title] = async () => {
      const before = processorTime(envoyPid);
      const pass = await load.pass({ inFlight: IN_FLIGHT, order });
      const spent = timeBetween(before, processorTime(envoyPid));
      const wanted = isCached ? pass.bySource.cache : pass.bySource.computed;
      if (wanted !== order.length) throw new Error(`${wanted} of ${order.length} texts were ${label}`);
      return { ...pass, envoyUs: (1000 * (spent.mainThreadMs + spent.otherThreadsMs)) / order.length };
    };
  }
  return alternate(passes, { ...context, describe: (pass) => `(${label}) ${describeTextPass(pass)}` });
}

function envoyCost(
  [, ...through]: readonly Contender[],
  rounds: readonly Readonly<Record<string, EnvoyPass>>[],
  label: string,
): Measurement[] {
  return through.map(({ title }) => ({
    name: `${label}, ${title}: Envoy's CPU per call`,
    unit: 'us',
    values: rounds.map((round) => round[title]?.envoyUs ?? Number.NaN),
  }));
}
