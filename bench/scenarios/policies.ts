import { CacheMode } from '../../generated/verdict/v1/classification.js';
import { alternate } from '../alternate.js';
import { describeTokens } from '../inputs/describe-tokens.js';
import type { MixName } from '../inputs/inputs.js';
import { describePass, passNumbers } from '../load/describe-pass.js';
import { ServedLoad, type ServedPass } from '../load/served-load.js';
import type { Findings, Measurement, Scenario, ScenarioContext } from '../scenario.js';
import { median, quantile, ratios } from '../statistics.js';

const IN_FLIGHT = 32;

/** The server's own policies, with the settings that the peers have. */
const POLICIES = {
  length: {},
  /** text-embeddings-inference with an ONNX model: order of arrival, at most 8, the next batch frozen ahead. */
  fifo: { VERDICT_BATCH_POLICY: 'fifo', VERDICT_BATCH_MAX_ITEMS: '8' },
  /** MLServer's adaptive batching: a fixed wait, both numbers left to its users. Here up to 32, and 20 ms. */
  window: {
    VERDICT_BATCH_POLICY: 'window',
    VERDICT_BATCH_MAX_ITEMS: '32',
    VERDICT_BATCH_MAX_DELAY_MS: '20',
    // It gathers all that is in flight into one batch: a second session would have nothing to do.
    VERDICT_INSTANCES: '1',
  },
} as const;

type Policy = keyof typeof POLICIES;
type PolicyRound = Readonly<Record<Policy, ServedPass>>;

const policyNames = Object.keys(POLICIES) as Policy[];

/** The same server, model, texts and load under three batching policies. */
export const policies: Scenario = {
  name: 'policies',
  summary:
    'Length-aware batches against first in, first out of 8 (TEI) and a fixed wait (MLServer), 32 in flight.',
  bars: ['fifo-rate-tight', 'fifo-rate-wide', 'fifo-p99-tight', 'fifo-p99-wide'],
  run,
};

async function run(context: ScenarioContext): Promise<Findings> {
  const measurements: Measurement[] = [];
  const facts: Record<string, string> = {};
  const byMix = new Map<MixName, PolicyRound[]>();
  const servers = await startServers(context);
  for (const mix of context.mixes) {
    const texts = await context.inputs.mix(mix, context.texts);
    facts[`texts of the ${mix} mix`] = describeTokens(await context.inputs.statistics(texts));
    for (const name of policyNames) await servers[name].use(texts);
    const pass = (name: Policy) => () => servers[name].pass({ mode: 'stream', inFlight: IN_FLIGHT });
    const rounds = await alternate(
      { length: pass('length'), fifo: pass('fifo'), window: pass('window') },
      { ...context, describe: (result) => `(${mix}) ${describePass(result)}` },
    );
    byMix.set(mix, rounds);
    measurements.push(...compare(context, mix, rounds));
  }
  const categories = [...byMix.keys()].map((mix) => `${mix} length mix`);
  const series = (pick: (pass: ServedPass) => number) =>
    policyNames.map((name) => ({
      name: TITLES[name],
      values: [...byMix.values()].map((rounds) => median(rounds.map((round) => pick(round[name])))),
    }));
  const subtitle = `${context.models.get().title}, ${context.threads} threads, ${IN_FLIGHT} texts in flight on one stream`;
  return {
    measurements,
    facts,
    rounds: Array.from({ length: context.rounds }, (_, i) =>
      Object.assign({}, ...[...byMix].map(([mix, rounds]) => roundNumbers(mix, rounds[i]))),
    ),
    charts: [
      {
        kind: 'bars',
        name: '',
        title: 'Throughput by batching policy',
        subtitle,
        valueAxis: 'texts/s',
        categories,
        series: series((pass) => pass.textsPerSecond),
      },
      {
        kind: 'bars',
        name: 'p99',
        title: 'p99 latency by batching policy',
        subtitle,
        valueAxis: 'ms',
        categories,
        series: series((pass) => quantile(pass.latenciesMs, 0.99)),
      },
    ],
  };
}

const TITLES: Readonly<Record<Policy, string>> = {
  length: 'length-aware (default)',
  fifo: 'first in, first out, 8 at most',
  window: 'fixed wait of 20 ms, 32 at most',
};

async function startServers(context: ScenarioContext): Promise<Record<Policy, ServedLoad>> {
  const start = (name: Policy) =>
    ServedLoad.start(context, {
      model: context.models.get(),
      texts: [],
      cache: CacheMode.BYPASS,
      settings: POLICIES[name],
    });
  return { length: await start('length'), fifo: await start('fifo'), window: await start('window') };
}

function compare({ models }: ScenarioContext, mix: MixName, rounds: readonly PolicyRound[]): Measurement[] {
  const title = `${models.get().title}, ${mix} mix, ${IN_FLIGHT} in flight`;
  const rates = (name: Policy) => rounds.map((round) => round[name].textsPerSecond);
  const tails = (name: Policy) => rounds.map((round) => quantile(round[name].latenciesMs, 0.99));
  const against = (peer: 'fifo' | 'window') => [
    {
      name: `${title}: length / ${peer} throughput`,
      unit: 'x',
      values: ratios(rates('length'), rates(peer)),
      reference: rates(peer),
      ...(peer === 'fifo' ? { bar: `fifo-rate-${mix}` as const } : {}),
    },
    {
      name: `${title}: length / ${peer} p99 latency`,
      unit: 'x',
      values: ratios(tails('length'), tails(peer)),
      reference: tails(peer),
      ...(peer === 'fifo' ? { bar: `fifo-p99-${mix}` as const } : {}),
    },
  ];
  return [...against('fifo'), ...against('window')];
}

function roundNumbers(mix: MixName, round: PolicyRound | undefined): Record<string, number> {
  if (round === undefined) return {};
  return Object.assign({}, ...policyNames.map((name) => passNumbers(`${mix}-${name}-`, round[name])));
}
