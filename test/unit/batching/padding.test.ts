import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BatcherOptions } from '../../../src/batching/types.js';
import type { CostCurve } from '../../../src/cost/cost-curve.js';
import { predictRunMs } from '../../../src/cost/cost-curve.js';
import { drawLengths, type LengthMix, tightMix, wideMix } from '../../../src/simulation/length-mix.js';
import { seededRandom } from '../../../src/simulation/random.js';
import { setUp } from './batcher-setup.js';
import { TimedRunner } from './fake-runners.js';

/** About what a DistilBERT-base fp32 run costs on two CPU cores. */
const curve: CostCurve = { baseMs: 4, msPerToken: 0.55, msPerTokenSquared: 0.0002 };
const BUDGET_TOKENS = 512;
const TEXTS = 3_000;

/** Texts in flight all the time: each answer brings the next text. On a virtual clock, so every run is the same. */
async function closedLoop(mix: LengthMix, inFlight: number, options: Partial<BatcherOptions> = {}) {
  const lengths = Array.from({ length: TEXTS }, drawLengths(mix, seededRandom(7)));
  let tokens = 0;
  let padded = 0;
  const { batcher, clock, submit } = setUp(
    {
      budgetTokens: BUDGET_TOKENS,
      maxBatchItems: 64,
      maxQueueItems: 4_096,
      maxQueueTokens: 1_000_000,
      maxAgeMs: 60_000,
      costCurve: curve,
      ...options,
    },
    {
      onBatch: (batch) => {
        tokens += batch.tokens;
        padded += batch.paddedTokens;
      },
    },
  );
  batcher.attach(new TimedRunner(clock, curve));
  let next = 0;
  const client = async (): Promise<void> => {
    for (let i = next++; i < TEXTS; i = next++) await submit(`${i}`, lengths[i]).result;
  };
  const clients = Promise.all(Array.from({ length: inFlight }, client));
  while (batcher.queuedItems + batcher.inFlightItems > 0 || clock.pendingTimers > 0) await clock.advance(500);
  await clients;
  return { padding: padded / tokens, ceiling: offlineMs(lengths) / batcher.busyMs };
}

/** The same texts offline: sorted by length, each batch as full as the budget allows. */
function offlineMs(lengths: readonly number[]): number {
  const sorted = [...lengths].sort((a, b) => b - a);
  let totalMs = 0;
  for (let i = 0; i < sorted.length; ) {
    const longest = sorted[i] ?? 1;
    const items = Math.min(64, sorted.length - i, Math.max(1, Math.floor(BUDGET_TOKENS / longest)));
    totalMs += predictRunMs(curve, items, longest);
    i += items;
  }
  return totalMs;
}

describe('the padding of live batches', () => {
  test('256 in flight, tight mix: at most 1.05, and 0.95 of the offline ceiling', async () => {
    const { padding, ceiling } = await closedLoop(tightMix, 256);
    assert.ok(padding <= 1.05, `padding ${padding}`);
    assert.ok(ceiling >= 0.95, `${ceiling} of the ceiling`);
  });

  test('256 in flight, wide mix: at most 1.05, and 0.95 of the offline ceiling', async () => {
    const { padding, ceiling } = await closedLoop(wideMix, 256);
    assert.ok(padding <= 1.05, `padding ${padding}`);
    assert.ok(ceiling >= 0.95, `${ceiling} of the ceiling`);
  });

  test('32 in flight, tight mix: at most 1.15, and 0.87 of the offline ceiling', async () => {
    const { padding, ceiling } = await closedLoop(tightMix, 32);
    assert.ok(padding <= 1.15, `padding ${padding}`);
    assert.ok(ceiling >= 0.87, `${ceiling} of the ceiling`);
  });

  test('32 in flight, wide mix: at most 1.15, and 0.87 of the offline ceiling', async () => {
    const { padding, ceiling } = await closedLoop(wideMix, 32);
    assert.ok(padding <= 1.15, `padding ${padding}`);
    assert.ok(ceiling >= 0.87, `${ceiling} of the ceiling`);
  });

  test('with the age guard at work all the time: at most 1.08 at 256 in flight', async () => {
    const { padding } = await closedLoop(tightMix, 256, { maxAgeMs: 4_000 });
    assert.ok(padding <= 1.08, `padding ${padding}`);
  });

  test('in fifo order, eight at most: above 1.5, which is what the length policy is for', async () => {
    const { padding } = await closedLoop(tightMix, 32, { policy: 'fifo', maxBatchItems: 8 });
    assert.ok(padding > 1.5, `padding ${padding}`);
  });
});
