import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { drawLengths, type LengthMix, tightMix, wideMix } from '../../../src/simulation/length-mix.js';
import { exponential, seededRandom } from '../../../src/simulation/random.js';
import { setUp } from './batcher-setup.js';
import { TimedRunner } from './fake-runners.js';

/** About what a DistilBERT-base int8 run costs on two CPU cores. */
const curve = { baseMs: 4, msPerToken: 0.15, msPerTokenSquared: 0.0001 };
const DURATION_MS = 20_000;

/** Four streams of 64 in flight, and unary calls at random times; on a virtual clock, so every run is the same. */
async function simulate(load: {
  readonly mix: LengthMix;
  readonly streams: number;
  readonly unaryPerSecond: number;
  readonly deadlineMs: number;
}) {
  const { batcher, clock, submit } = setUp({
    budgetTokens: 512,
    maxBatchItems: 256,
    maxQueueItems: 4_096,
    maxQueueTokens: 500_000,
    lookAhead: 512,
    maxRunMs: 250,
    maxRunPercent: 25,
    costCurve: curve,
  });
  batcher.attach(new TimedRunner(clock, curve));
  const counts = { streamed: 0, sent: 0, inTime: 0, expired: 0, refusedLater: 0 };
  const draw = (seed: number) => drawLengths(load.mix, seededRandom(seed));
  for (let i = 0; i < load.streams; i++) {
    const lengths = draw(i);
    const flow = {};
    const next = (): void => {
      submit('', lengths(), { serviceClass: 'bulk', flow, whenFull: 'wait' }).result.then(() => {
        counts.streamed++;
        if (clock.now() < DURATION_MS) next();
      }, assert.fail);
    };
    for (let j = 0; j < 64; j++) next();
  }
  const lengths = draw(99);
  const random = seededRandom(98);
  const call = (): void => {
    const sentAt = clock.now();
    const deadlineAt = sentAt + load.deadlineMs;
    counts.sent++;
    submit('', lengths(), { deadlineAt }).result.then(
      () => {
        if (clock.now() <= deadlineAt) counts.inTime++;
      },
      ({ code }: { code: string }) => {
        if (code === 'deadline_exceeded') counts.expired++;
        else if (clock.now() > sentAt) counts.refusedLater++;
      },
    );
    if (clock.now() < DURATION_MS) clock.startTimer(call, exponential(random, 1_000 / load.unaryPerSecond));
  };
  if (load.unaryPerSecond > 0) clock.startTimer(call, 0);
  await clock.advance(DURATION_MS);
  const perSecond = 1_000 / DURATION_MS;
  return {
    ...counts,
    streamedPerSecond: counts.streamed * perSecond,
    inTimePerSecond: counts.inTime * perSecond,
  };
}

for (const [name, mix] of [
  ['tight', tightMix],
  ['wide', wideMix],
] as const) {
  describe(`a saturated runner, ${name} mix of lengths`, () => {
    test('at twice its throughput, deadlines of 500 ms: goodput of 0.95, few are let in and then fail', async () => {
      const alone = await simulate({ mix, streams: 4, unaryPerSecond: 0, deadlineMs: 0 });
      const rate = 2 * alone.streamedPerSecond;
      const overload = await simulate({ mix, streams: 0, unaryPerSecond: rate, deadlineMs: 500 });
      assert.ok(overload.inTimePerSecond >= 0.95 * alone.streamedPerSecond, JSON.stringify(overload));
      assert.ok(overload.expired <= 0.05 * overload.sent, JSON.stringify(overload));
      assert.equal(overload.refusedLater, 0);
    });

    test('by streams: 99 % of ten unary calls a second are answered within 200 ms, bulk keeps 0.85', async () => {
      const alone = await simulate({ mix, streams: 4, unaryPerSecond: 0, deadlineMs: 0 });
      const mixed = await simulate({ mix, streams: 4, unaryPerSecond: 10, deadlineMs: 200 });
      assert.ok(mixed.sent > 150);
      assert.ok(mixed.inTime >= 0.99 * mixed.sent, JSON.stringify(mixed));
      assert.ok(mixed.streamedPerSecond >= 0.85 * alone.streamedPerSecond, JSON.stringify({ alone, mixed }));
    });
  });
}
