import type { CostSample } from '../cost/cost-curve.js';
import type { RunResult } from '../runtime/types.js';
import type { Encoding, Tokenizer } from '../tokenizer/types.js';
import { cutTo } from './probe-inputs.js';

/** Shapes of the sweep, inputs x tokens, by ascending cost: enough to tell the three terms of the curve apart. */
const SHAPES: readonly (readonly [items: number, tokens: number])[] = [
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
  run: (encodings: readonly Encoding[]) => Promise<RunResult>,
  tokenizer: Tokenizer,
  options: CalibrationOptions,
): Promise<CostSample[]> {
  const sample = await tokenizer.encode({ text: 'measure '.repeat(200) }, 'end');
  const startedAt = performance.now();
  const samples: CostSample[] = [];
  for (const [items, tokens] of SHAPES) {
    if (items > options.maxItems || tokens > sample.ids.length) continue;
    const encodings = Array.from({ length: items }, () => cutTo(sample, tokens));
    samples.push({ items, tokens, runMs: await shortestRun(run, encodings) });
    if (samples.length >= LEAST_SHAPES && performance.now() - startedAt > options.timeLimitMs) break;
  }
  return samples;
}

async function shortestRun(
  run: (encodings: readonly Encoding[]) => Promise<RunResult>,
  encodings: readonly Encoding[],
): Promise<number> {
  await run(encodings);
  let shortest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TIMED_RUNS; i++) {
    const startedAt = performance.now();
    await run(encodings);
    shortest = Math.min(shortest, performance.now() - startedAt);
  }
  return shortest;
}
