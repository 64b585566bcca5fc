import { CacheMode } from '../../generated/verdict/v1/classification.js';
import { alternate } from '../alternate.js';
import type { LoadPass } from '../load/closed-loop.js';
import { describePass, passNumbers } from '../load/describe-pass.js';
import { ServedLoad, type ServedPass } from '../load/served-load.js';
import { type Findings, type Scenario, type ScenarioContext, ScenarioSkipped } from '../scenario.js';
import { median, ratios } from '../statistics.js';

const LOADS: Readonly<Record<string, LoadPass>> = {
  '1 in flight': { mode: 'unary', inFlight: 1 },
  '32 in flight': { mode: 'stream', inFlight: 32 },
  '256 in flight': { mode: 'stream', inFlight: 256 },
};

/** Texts of a pass with one in flight, as a share of the others: there is nothing to fill. */
const LONE_SHARE = 0.25;

type Split = 'one' | 'each' | 'divided';
type SplitRound = Readonly<Record<Split, ServedPass>>;

/** How to spend the threads of a machine: one session of all, a session for each, or what a slow model has by default. */
export const sessions: Scenario = {
  name: 'sessions',
  summary:
    'One session of all threads against a session of one thread for each, and against the default: both.',
  bars: [],
  run,
};

/** @throws ScenarioSkipped with one thread: there is nothing to divide */
async function run(context: ScenarioContext): Promise<Findings> {
  const { threads, models, inputs } = context;
  if (threads < 2) throw new ScenarioSkipped('it takes two threads to divide them: see --threads');
  const model = models.get();
  const titles: Readonly<Record<Split, string>> = {
    one: `1 session of ${threads} threads`,
    each: `${threads} sessions of 1 thread`,
    divided: `2 sessions of ${Math.floor(threads / 2)} and 1 of ${threads} for lone texts`,
  };
  const start = (instances: number, each: number, more: Readonly<Record<string, string>> = {}) =>
    ServedLoad.start(context, {
      model,
      texts: [],
      cache: CacheMode.BYPASS,
      settings: { VERDICT_INSTANCES: String(instances), VERDICT_INTRA_OP_THREADS: String(each), ...more },
    });
  const servers: Readonly<Record<Split, ServedLoad>> = {
    one: await start(1, threads),
    each: await start(threads, 1),
    divided: await start(0, threads, { VERDICT_SPLIT_FROM_MS: '0' }),
  };
  const texts = await inputs.mix('tight', context.texts);
  const byLoad = new Map<string, SplitRound[]>();
  for (const [title, load] of Object.entries(LOADS)) {
    const some = load.inFlight === 1 ? texts.slice(0, Math.ceil(texts.length * LONE_SHARE)) : texts;
    for (const server of Object.values(servers)) await server.use(some);
    const pass = (split: Split) => () => servers[split].pass(load);
    byLoad.set(
      title,
      await alternate(
        { one: pass('one'), each: pass('each'), divided: pass('divided') },
        { ...context, describe: (result) => `(${title}) ${describePass(result)}` },
      ),
    );
  }
  const rates = (rounds: readonly SplitRound[], split: Split) =>
    rounds.map((round) => round[split].textsPerSecond);
  return {
    measurements: [...byLoad].flatMap(([title, rounds]) =>
      (['each', 'divided'] as const).map((split) => ({
        name: `${model.title}, tight mix, ${title}: ${titles[split]} / ${titles.one}, throughput`,
        unit: 'x',
        values: ratios(rates(rounds, split), rates(rounds, 'one')),
        reference: rates(rounds, 'one'),
      })),
    ),
    rounds: Array.from({ length: context.rounds }, (_, i) =>
      Object.assign({}, ...[...byLoad].map(([title, rounds]) => roundNumbers(title, rounds[i]))),
    ),
    charts: [
      {
        kind: 'bars',
        name: '',
        title: 'Throughput by how the threads are divided',
        subtitle: `${model.title}, tight mix, ${threads} threads in all`,
        valueAxis: 'texts/s',
        categories: [...byLoad.keys()],
        series: (Object.keys(titles) as Split[]).map((split) => ({
          name: titles[split],
          values: [...byLoad.values()].map((rounds) => median(rates(rounds, split))),
        })),
      },
    ],
  };
}

function roundNumbers(title: string, round: SplitRound | undefined): Record<string, number> {
  if (round === undefined) return {};
  return Object.assign(
    {},
    ...Object.entries(round).map(([split, pass]) => passNumbers(`${title}, ${split}: `, pass)),
  );
}
