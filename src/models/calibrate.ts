import type { CostSample } from '../cost/cost-curve.js';
import type { Preprocessor } from '../preprocessing/preprocessor.js';
import type { Encoded } from '../runtime/feeds.js';
import type { RunResult } from '../runtime/types.js';

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

/** The first run of a shape allocates; the shortest of the next two is what the shape costs. */
const TIMED_RUNS = 2;

/** A machine that is busy with other models for as many runs of a quick model is too busy to be told from a slow one. */
const RUNS_OF_SLOW = 8;

export interface CalibrationOptions {
  /** The sweep ends with the shape during which this time is up, but not before its fifth. */
  readonly timeLimitMs: number;
  /** Inputs that a batch may hold. */
  readonly maxItems: number;
}

/**
 * Measures runs of growing shapes, the hand-over to the session's process included: every batch pays for that too. It
 * also warms the session up. A slow model stops early: what was measured is extrapolated, and live batches refine it.
 */
export async function calibrate(
  run: (batch: readonly Encoded[]) => Promise<RunResult>,
  preprocessor: Pick<Preprocessor<never>, 'ofCost'>,
  options: CalibrationOptions,
): Promise<CostSample[]> {
  const startedAt = performance.now();
  const samples: CostSample[] = [];
  for (const [items, cost] of SHAPES) {
    if (items > options.maxItems) continue;
    const encoded = await preprocessor.ofCost(cost);
    // The model may read less, or cost the same whatever it reads.
    const tokens = encoded.cost;
    if (samples.some((sample) => sample.items === items && sample.tokens === tokens)) continue;
    const batch = Array.from({ length: items }, () => encoded);
    samples.push({ items, tokens, runMs: await shortestRun(run, batch) });
    if (samples.length >= LEAST_SHAPES && performance.now() - startedAt > options.timeLimitMs) break;
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
  run: (batch: readonly Encoded[]) => Promise<RunResult>,
  preprocessor: Pick<Preprocessor<never>, 'ofCost'>,
): Promise<boolean> {
  const batch = [await preprocessor.ofCost(cost)];
  for (let i = 0; i < RUNS_OF_SLOW; i++) {
    const startedAt = performance.now();
    await run(batch);
    if (performance.now() - startedAt < limitMs) return false;
  }
  return true;
}

async function shortestRun(
  run: (batch: readonly Encoded[]) => Promise<RunResult>,
  batch: readonly Encoded[],
): Promise<number> {
  await run(batch);
  let shortest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TIMED_RUNS; i++) {
    const startedAt = performance.now();
    await run(batch);
    shortest = Math.min(shortest, performance.now() - startedAt);
  }
  return shortest;
}
