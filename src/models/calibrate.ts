import type { CostSample } from '../cost/cost-curve.js';
import type { Preprocessor } from '../preprocessing/preprocessor.js';
import type { Encoded } from '../runtime/feeds.js';
import { noRest, type Rest, type Run } from './paced-run.js';

/** Shapes of the sweep, inputs x cost of each, by ascending cost: enough to tell the three terms of the curve apart. */
const SHAPES: readonly (readonly [items: number, cost: number])[] = [
  [1, 8],
  [1, 32],
  [4, 16],
  [8, 16],
  [1, 128],
  [8, 32],
  [2, 128],
  [16, 32],
  [8, 64],
  [4, 128],
  [32, 32],
];

/** Fewer tell little of a model's base cost, and with it of the knee. */
const LEAST_SHAPES = 5;

/** The first run of a shape allocates; the shortest of the next ones is what the shape costs. */
const TIMED_RUNS = 2;

/** A machine that is busy with other models for as many runs of a quick model is too busy to be told from a slow one. */
const RUNS_OF_SLOW = 8;

export interface CalibrationOptions {
  /** The sweep ends with the shape during which its runs have taken this long together, but not before its fifth. */
  readonly timeLimitMs: number;
  /** Inputs that a batch may hold. */
  readonly maxItems: number;
  /** Runs of which the shortest counts. Default: 2, which is enough on a machine that does nothing else. */
  readonly timedRuns?: number;
  /** After each run. Default: none. */
  readonly rest?: Rest;
}

/**
 * Measures runs of growing shapes, the hand-over to the session's process included: every batch pays for that too. It
 * also warms the session up. A slow model stops early: what was measured is extrapolated, and live batches refine it.
 */
export async function calibrate(
  run: Run,
  preprocessor: Pick<Preprocessor<never>, 'ofCost'>,
  options: CalibrationOptions,
): Promise<CostSample[]> {
  const { rest = noRest, timedRuns = TIMED_RUNS } = options;
  let spentMs = 0;
  const timed = async (batch: readonly Encoded[]) => {
    const startedAt = performance.now();
    await run(batch);
    const ranMs = performance.now() - startedAt;
    spentMs += ranMs;
    await rest(ranMs);
    return ranMs;
  };
  const samples: CostSample[] = [];
  for (const [items, cost] of SHAPES) {
    if (items > options.maxItems) continue;
    const encoded = await preprocessor.ofCost(cost);
    // The model may read less, or cost the same whatever it reads.
    const tokens = encoded.cost;
    if (samples.some((sample) => sample.items === items && sample.tokens === tokens)) continue;
    const batch = Array.from({ length: items }, () => encoded);
    samples.push({ items, tokens, runMs: await shortestRun(timed, batch, timedRuns) });
    if (samples.length >= LEAST_SHAPES && spentMs > options.timeLimitMs) break;
  }
  return samples;
}

/**
 * Whether an input of this cost takes `limitMs` or longer in each of several runs, the hand-over included. It ends with the
 * first run that takes less.
 */
export async function takes(
  limitMs: number,
  cost: number,
  run: Run,
  preprocessor: Pick<Preprocessor<never>, 'ofCost'>,
  rest: Rest = noRest,
): Promise<boolean> {
  const batch = [await preprocessor.ofCost(cost)];
  for (let i = 0; i < RUNS_OF_SLOW; i++) {
    const startedAt = performance.now();
    await run(batch);
    const ranMs = performance.now() - startedAt;
    if (ranMs < limitMs) return false;
    await rest(ranMs);
  }
  return true;
}

async function shortestRun(
  timed: (batch: readonly Encoded[]) => Promise<number>,
  batch: readonly Encoded[],
  runs: number,
): Promise<number> {
  await timed(batch);
  let shortest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) shortest = Math.min(shortest, await timed(batch));
  return shortest;
}
