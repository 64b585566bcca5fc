import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BatcherOptions } from '../../../src/batching/types.js';
import { predictRunMs } from '../../../src/cost/cost-curve.js';
import { closedLoop } from '../../../src/simulation/closed-loop.js';
import { drawLengths, type LengthMix, tightMix, wideMix } from '../../../src/simulation/length-mix.js';
import { seededRandom } from '../../../src/simulation/random.js';
import { baseCurve, simulated } from '../simulation/simulation-setup.js';

const BUDGET_TOKENS = 512;
const TEXTS = 3_000;

/** One stream with so many texts in flight all the time, on a virtual clock. */
async function simulate(mix: LengthMix, inFlight: number, options: Partial<BatcherOptions> = {}) {
  const draw = drawLengths(mix, seededRandom(7));
  const lengths: number[] = [];
  const { batches, busyShare, seconds } = await simulated(
    {
      batching: {
        budgetTokens: BUDGET_TOKENS,
        maxBatchItems: 64,
        maxRunMs: 0,
        maxRunPercent: 0,
        lookAhead: 256,
        maxAgeMs: 60_000,
        ...options,
      },
      maxArrivals: TEXTS,
    },
    [
      closedLoop(
        1,
        inFlight,
        { serviceClass: 'interactive', whenFull: 'refuse', deadlineMs: Number.POSITIVE_INFINITY },
        () => {
          const length = draw();
          lengths.push(length);
          return length;
        },
      ),
    ],
  );
  assert.equal(lengths.length, TEXTS);
  return { padding: batches.padding, ceiling: offlineMs(lengths) / (busyShare * seconds * 1_000) };
}

/** The same texts offline: sorted by length, each batch as full as the budget allows. */
function offlineMs(lengths: readonly number[]): number {
  const sorted = [...lengths].sort((a, b) => b - a);
  let totalMs = 0;
  for (let i = 0; i < sorted.length; ) {
    const longest = sorted[i] ?? 1;
    const inputs = Math.min(64, sorted.length - i, Math.max(1, Math.floor(BUDGET_TOKENS / longest)));
    totalMs += predictRunMs(baseCurve, inputs, longest);
    i += inputs;
  }
  return totalMs;
}

describe('the padding of live batches', () => {
  test('256 in flight, tight mix: at most 1.05, and 0.95 of the offline ceiling', async () => {
    const { padding, ceiling } = await simulate(tightMix, 256);
    assert.ok(padding <= 1.05, `padding ${padding}`);
    assert.ok(ceiling >= 0.95, `${ceiling} of the ceiling`);
  });

  test('256 in flight, wide mix: at most 1.05, and 0.95 of the offline ceiling', async () => {
    const { padding, ceiling } = await simulate(wideMix, 256);
    assert.ok(padding <= 1.05, `padding ${padding}`);
    assert.ok(ceiling >= 0.95, `${ceiling} of the ceiling`);
  });

  test('32 in flight, tight mix: at most 1.15, and 0.87 of the offline ceiling', async () => {
    const { padding, ceiling } = await simulate(tightMix, 32);
    assert.ok(padding <= 1.15, `padding ${padding}`);
    assert.ok(ceiling >= 0.87, `${ceiling} of the ceiling`);
  });

  test('32 in flight, wide mix: at most 1.15, and 0.87 of the offline ceiling', async () => {
    const { padding, ceiling } = await simulate(wideMix, 32);
    assert.ok(padding <= 1.15, `padding ${padding}`);
    assert.ok(ceiling >= 0.87, `${ceiling} of the ceiling`);
  });

  test('with the age guard at work all the time: at most 1.08 at 256 in flight', async () => {
    const { padding } = await simulate(tightMix, 256, { maxAgeMs: 4_000 });
    assert.ok(padding <= 1.08, `padding ${padding}`);
  });

  test('in fifo order, eight at most: above 1.5, which is what the length policy is for', async () => {
    const { padding } = await simulate(tightMix, 32, { policy: 'fifo', maxBatchItems: 8 });
    assert.ok(padding > 1.5, `padding ${padding}`);
  });
});
