import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { closedLoop } from '../../../src/simulation/closed-loop.js';
import { drawLengths, type LengthMix, tightMix, wideMix } from '../../../src/simulation/length-mix.js';
import { poissonArrivals } from '../../../src/simulation/poisson-arrivals.js';
import { seededRandom } from '../../../src/simulation/random.js';
import type { Source } from '../../../src/simulation/types.js';
import { simulated } from '../simulation/simulation-setup.js';

/** About what a DistilBERT-base int8 run costs on two CPU cores. */
const curve = { baseMs: 4, msPerToken: 0.15, msPerTokenSquared: 0.0001 };
const DURATION_MS = 20_000;

/** Four streams of 64 in flight. */
const streams = (mix: LengthMix): Source =>
  closedLoop(
    4,
    64,
    { serviceClass: 'bulk', whenFull: 'wait', deadlineMs: Number.POSITIVE_INFINITY },
    drawLengths(mix, seededRandom(1)),
  );

/** Unary calls at random times. */
const calls = (mix: LengthMix, perSecond: number, deadlineMs: number): Source =>
  poissonArrivals(
    perSecond,
    { serviceClass: 'interactive', whenFull: 'refuse', deadlineMs },
    drawLengths(mix, seededRandom(99)),
    seededRandom(98),
  );

async function simulate(...sources: readonly Source[]) {
  const kept: string[] = [];
  const { classes } = await simulated({ curve, durationMs: DURATION_MS }, sources, {
    onEnd: (_input, { outcome }, latencyMs) => {
      const isRefused = outcome !== 'answered' && outcome !== 'late' && outcome !== 'deadline_exceeded';
      if (isRefused && latencyMs > 0) kept.push(outcome);
    },
  });
  // Nobody waits to be refused: whom the door admits is answered, or runs out of time.
  assert.deepEqual(kept, []);
  return classes;
}

for (const [name, mix] of [
  ['tight', tightMix],
  ['wide', wideMix],
] as const) {
  describe(`a saturated runner, ${name} mix of lengths`, () => {
    test('at twice its throughput, deadlines of 500 ms: goodput of 0.95, few are admitted and then fail', async () => {
      const alone = (await simulate(streams(mix))).bulk.throughput;
      const { arrivals, outcomes, goodput } = (await simulate(calls(mix, 2 * alone, 500))).interactive;
      assert.ok(goodput >= 0.95 * alone, `${goodput} of ${alone}`);
      assert.ok((outcomes.deadline_exceeded ?? 0) <= 0.05 * arrivals, JSON.stringify(outcomes));
    });

    test('by streams: 99 % of ten unary calls a second are answered within 200 ms, bulk keeps 0.85', async () => {
      const alone = (await simulate(streams(mix))).bulk.throughput;
      const { interactive, bulk } = await simulate(calls(mix, 10, 200), streams(mix));
      const { arrivals, outcomes } = interactive;
      assert.ok(arrivals > 150);
      assert.ok((outcomes.answered ?? 0) >= 0.99 * arrivals, JSON.stringify(outcomes));
      assert.ok(bulk.throughput >= 0.85 * alone, `${bulk.throughput} of ${alone}`);
    });
  });
}
