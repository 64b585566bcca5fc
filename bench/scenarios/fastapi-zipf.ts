import { alternate } from '../alternate.js';
import { seededRandom } from '../inputs/random.js';
import { zipfSampler } from '../inputs/zipf.js';
import type { CachedPass } from '../load/cached-pass.js';
import type { Findings, Scenario, ScenarioContext } from '../scenario.js';
import { describeTextPass } from './beside.js';
import { startZipfContenders, type ZipfContenders } from './zipf-contenders.js';
import { zipfFindings } from './zipf-findings.js';

const TEXTS = 10_000;
const EXPONENT = 1;
/** Requests of a pass for each text of `--texts`: 512 make as many requests as there are texts, and a few more. */
const REQUESTS_PER_TEXT = 20;
/** Hits are quick: so many more of them in a pass, for it to last seconds. */
const STEADY_FACTOR = 4;
const SEED = 10_000;
/** The pass from empty caches takes minutes: in so many pieces it meets the same machine as the other server's. */
const PIECES = 10;
const WARM_UP_TEXTS = 64;
/** Requests among whose texts one with an entry in Redis is looked for. */
const SAMPLES = 32;
/** Fewer hits than this are no steady state. */
const LEAST_HIT_RATIO = 0.999;

type ContenderName = Exclude<keyof ZipfContenders, 'fill'>;

/** Verdict beside the FastAPI baseline, both caching in Redis, with traffic that repeats itself. */
export const fastapiZipf: Scenario = {
  name: 'fastapi-zipf',
  summary:
    'Beside FastAPI + Transformers, Zipf traffic, both caching in Redis: from empty caches, and steady state.',
  bars: ['fastapi-zipf', 'fastapi-zipf-steady'],
  run,
};

/**
 * One pass from empty caches, piece by piece in turns; then Redis is given the texts that did not come up, and both are
 * asked for each text once; then rounds in that steady state.
 */
async function run(context: ScenarioContext): Promise<Findings> {
  const { models, inputs, rounds, short, threads } = context;
  const count = short ? 100 : TEXTS;
  const requests = context.texts * REQUESTS_PER_TEXT;
  const drawn = await inputs.mix('tight', count + WARM_UP_TEXTS);
  const texts = drawn.slice(0, count);
  const { fill, ...senders } = await startZipfContenders(context, drawn);
  /** Lets them take turns, each with the orders in their sequence. */
  const inTurns = <N extends ContenderName>(
    label: string,
    names: readonly N[],
    orders: readonly (readonly number[])[],
  ): Promise<Record<N, CachedPass>[]> => {
    const contenders = {} as Record<N, () => Promise<CachedPass>>;
    for (const name of names) {
      let turn = 0;
      contenders[name] = () => senders[name](orders[turn++] ?? []);
    }
    return alternate(contenders, {
      ...context,
      rounds: orders.length,
      warmUp: false,
      describe: (pass) =>
        `(${label}) ${describeTextPass(pass)}, ${(100 * pass.hitRatio).toFixed(1)} % cached`,
    });
  };
  const warmUp = Array.from({ length: WARM_UP_TEXTS }, (_, i) => count + i);
  await inTurns('warm-up', ['peer', 'own', 'stream'], [warmUp, warmUp]);

  const coldOrder = zipfOrder(0, count, requests);
  const cold = await inTurns('from empty caches', ['peer', 'own'], pieces(coldOrder, PIECES));

  const answered = coldOrder.slice(0, SAMPLES).map((index) => texts[index] ?? '');
  await fill(texts, answered);
  // Not judged: Verdict gives up on a Redis that is late, so one in a hundred may be computed here on a busy machine.
  await inTurns('every text once', ['peer', 'own', 'stream'], [[...texts.keys()]]);

  const steadyRequests = STEADY_FACTOR * requests;
  const orders = Array.from({ length: rounds }, (_, round) => zipfOrder(round + 1, count, steadyRequests));
  const steady = await inTurns('steady state', ['peer', 'own', 'stream'], orders);
  assertCached(steady);
  const setting = { title: models.get('fp32').title, threads, count, requests, steadyRequests };
  return zipfFindings(setting, cold, steady);
}

/** What a pass sends: indices of texts, the same for both servers. */
function zipfOrder(pass: number, count: number, requests: number): number[] {
  const draw = zipfSampler(count, EXPONENT, seededRandom(SEED + pass));
  return Array.from({ length: requests }, draw);
}

function pieces(order: readonly number[], parts: number): number[][] {
  const size = Math.ceil(order.length / parts);
  return Array.from({ length: parts }, (_, i) => order.slice(i * size, (i + 1) * size)).filter(
    ({ length }) => length > 0,
  );
}

/** @throws Error where one of the servers computed: that would be another measurement */
function assertCached(rounds: readonly Record<ContenderName, CachedPass>[]): void {
  const ratios = rounds.flatMap((round) => Object.values(round).map(({ hitRatio }) => hitRatio));
  const least = Math.min(...ratios);
  if (least < LEAST_HIT_RATIO) {
    throw new Error(`in the steady state a cache answered ${(100 * least).toFixed(2)} % only`);
  }
}
