import { alternate } from '../alternate.js';
import { TextLoad } from '../load/text-load.js';
import { ProcessSet } from '../process-set.js';
import { processMs } from '../processor-time.js';
import { formatNumber } from '../report/format-value.js';
import type { Findings, Measurement, Scenario, ScenarioContext } from '../scenario.js';
import type { ServerProcess } from '../server-process.js';
import { median, ratios } from '../statistics.js';

const IN_FLIGHT = 32;

/** Passes of each protocol, taking turns. */
const PASSES = 5;

/** Calls of a pass for each text of the scenario: all but the first round of texts are cached. */
const REPEAT = 16;

const PROTOCOLS = { own: 'verdict-unary', openInference: 'verdict-oip' } as const;

type Name = keyof typeof PROTOCOLS;

/** What the other protocols cost a call that does nothing else. */
export const protocols: Scenario = {
  name: 'protocols',
  summary: 'CPU time per cached unary call over the Open Inference Protocol against the same over Classify.',
  bars: ['open-inference-call'],
  run,
};

/** Each round has a server of its own: how V8 happens to compile a function stays with a process as long as that lives. */
async function run(context: ScenarioContext): Promise<Findings> {
  const rounds: Record<Name, number>[] = [];
  for (let round = 0; round < context.rounds; round++) {
    const processes = new ProcessSet(context.signal);
    try {
      rounds.push(await costs({ ...context, processes }));
    } finally {
      await processes.stopAll();
    }
  }
  const of = (name: Name) => rounds.map((round) => round[name]);
  const reference = of('own');
  const measurement: Measurement = {
    name: `Cached unary call, ${IN_FLIGHT} in flight, server CPU: ModelInfer / Classify`,
    ...{ unit: 'x', values: ratios(of('openInference'), reference), reference, bar: 'open-inference-call' },
  };
  return {
    measurements: [measurement],
    rounds: rounds.map((round) => ({ classifyUs: round.own, modelInferUs: round.openInference })),
    charts: [
      {
        ...{ kind: 'bars', name: 'unary', title: 'Server CPU per cached call' },
        subtitle: `All threads of the main process, ${IN_FLIGHT} in flight; ${context.models.get().name}`,
        valueAxis: 'µs',
        categories: ['Classify', 'ModelInfer'],
        series: [{ name: 'server CPU', values: [median(reference), median(of('openInference'))] }],
      },
    ],
  };
}

/** Microseconds of CPU that a call costs a fresh server, by protocol. */
async function costs(context: ScenarioContext): Promise<Record<Name, number>> {
  const { models, inputs, processes, threads } = context;
  const model = models.get();
  const texts = inputs.sst2(context.texts);
  const server = await processes.server({ ...model.serverSettings(threads), VERDICT_LOG_LEVEL: 'warn' });
  const target = { address: server.address, model: model.name, bypassCache: false, maxInFlight: IN_FLIGHT };
  const order = Array.from(
    { length: texts.length * (context.short ? 2 : REPEAT) },
    (_, n) => n % texts.length,
  );
  const load = async (name: Name) => {
    const started = await TextLoad.start(processes, { ...target, protocol: PROTOCOLS[name] }, texts);
    await started.pass({ inFlight: IN_FLIGHT });
    return () => callUs(server, () => started.pass({ inFlight: IN_FLIGHT, order }), order.length);
  };
  const passes = await alternate(
    { own: await load('own'), openInference: await load('openInference') },
    {
      ...context,
      rounds: context.short ? 1 : PASSES,
      describe: (us) => `${formatNumber(us)} µs of CPU per call`,
    },
  );
  return {
    own: median(passes.map(({ own }) => own)),
    openInference: median(passes.map(({ openInference }) => openInference)),
  };
}

/** @throws Error where the cache did not answer every call: it would be something else that was measured */
async function callUs(server: ServerProcess, pass: () => Promise<unknown>, calls: number): Promise<number> {
  const hits = async () =>
    (await server.metrics()).value('verdict_cache_requests_total', { tier: 'lru', outcome: 'hit' });
  const hitsBefore = await hits();
  const msBefore = processMs(server.pid);
  await pass();
  const us = (1000 * (processMs(server.pid) - msBefore)) / calls;
  const cached = (await hits()) - hitsBefore;
  if (cached !== calls) throw new Error(`${cached} of ${calls} calls were cached`);
  return us;
}
