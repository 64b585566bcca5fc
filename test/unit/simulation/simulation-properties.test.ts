import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { closedLoop } from '../../../src/simulation/closed-loop.js';
import { drawLengths, wideMix } from '../../../src/simulation/length-mix.js';
import { poissonArrivals } from '../../../src/simulation/poisson-arrivals.js';
import { seededRandom } from '../../../src/simulation/random.js';
import type { Moment } from '../../../src/simulation/simulation.js';
import { simulated } from './simulation-setup.js';

const traffic = fc.record({
  seed: fc.nat(100_000),
  rate: fc.integer({ min: 1, max: 200 }),
  deadlineMs: fc.constantFrom(50, 300, 2_000, Number.POSITIVE_INFINITY),
  streams: fc.integer({ min: 1, max: 4 }),
  inFlight: fc.integer({ min: 1, max: 32 }),
  streamDeadlineMs: fc.constantFrom(500, 5_000, Number.POSITIVE_INFINITY),
  runners: fc.integer({ min: 1, max: 3 }),
  noise: fc.constantFrom(0, 0.3),
  budgetTokens: fc.constantFrom(64, 256, 1_024),
  maxBatchItems: fc.constantFrom(1, 8, 256),
  maxQueueItems: fc.constantFrom(8, 64, 4_096),
});

type Traffic = typeof traffic extends fc.Arbitrary<infer T> ? T : never;

async function run(policy: 'length' | 'fifo' | 'window', t: Traffic) {
  const over: string[] = [];
  const idle: Moment[] = [];
  let ended = 0;
  const report = await simulated(
    {
      batching: {
        policy,
        budgetTokens: t.budgetTokens,
        maxBatchItems: t.maxBatchItems,
        maxQueueItems: t.maxQueueItems,
        maxDelayMs: policy === 'window' ? 10 : 0,
      },
      runners: t.runners,
      noise: t.noise,
      maxArrivals: 300,
      random: seededRandom(t.seed),
    },
    [
      poissonArrivals(
        t.rate,
        { serviceClass: 'interactive', whenFull: 'refuse', deadlineMs: t.deadlineMs },
        drawLengths(wideMix, seededRandom(t.seed + 1)),
        seededRandom(t.seed + 2),
      ),
      closedLoop(
        t.streams,
        t.inFlight,
        { serviceClass: 'bulk', whenFull: 'wait', deadlineMs: t.streamDeadlineMs },
        drawLengths(wideMix, seededRandom(t.seed + 3)),
      ),
    ],
    {
      onBatch: ({ items, paddedTokens }) => {
        const tooLong = policy === 'length' && items > 1 && paddedTokens > t.budgetTokens;
        if (tooLong || items > t.maxBatchItems) over.push(`${items} items, ${paddedTokens} padded tokens`);
      },
      onMoment: (moment) => {
        if (moment.idleRunners > 0 && moment.queuedItems > 0) idle.push(moment);
      },
      onEnd: () => ended++,
    },
  );
  return { report, over, idle, ended };
}

for (const policy of ['length', 'fifo', 'window'] as const) {
  describe(`the ${policy} policy under any traffic`, () => {
    test('keeps the budget, leaves no session idle beside a queue, and ends every arrival in one way', async () => {
      await fc.assert(
        fc.asyncProperty(traffic, async (t) => {
          const { report, over, idle, ended } = await run(policy, t);
          assert.deepEqual(over, []);
          if (policy !== 'window') assert.deepEqual(idle, []);
          for (const { arrivals, outcomes } of [report.all, ...Object.values(report.classes)]) {
            const total = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
            assert.equal(total, arrivals);
          }
          assert.equal(ended, report.all.arrivals);
          assert.ok(report.busyShare <= 1 + 1e-9);
        }),
        { numRuns: 25 },
      );
    });
  });
}

describe('under the length policy', () => {
  test('nobody starves: a saturating class leaves the other its share, so each wait has an end', async () => {
    // The run of the longest text alone, in milliseconds; no batch may take longer.
    const longestRunMs = 4 + 512 * 0.55 + 512 ** 2 * 0.0002;
    const forEver = { whenFull: 'wait', deadlineMs: Number.POSITIVE_INFINITY } as const;
    const loops = fc.record({
      seed: fc.nat(100_000),
      streams: fc.integer({ min: 1, max: 4 }),
      inFlight: fc.integer({ min: 1, max: 4 }),
      interactive: fc.integer({ min: 0, max: 16 }),
    });
    await fc.assert(
      fc.asyncProperty(loops, async ({ seed, streams, inFlight, interactive }) => {
        const lengths = drawLengths(wideMix, seededRandom(seed));
        const { classes, all } = await simulated({ maxArrivals: 400 }, [
          closedLoop(streams, inFlight, { ...forEver, serviceClass: 'bulk' }, lengths),
          closedLoop(1, interactive, { ...forEver, serviceClass: 'interactive' }, lengths),
        ]);
        assert.deepEqual(all.outcomes, { answered: all.arrivals });
        // With as many batches as items were ahead; for each of its own class, four of the weightier one.
        const bound = (streams * inFlight + 1) * (interactive > 0 ? 5 : 1) * longestRunMs;
        assert.ok(classes.bulk.queueMs.max <= bound, `${classes.bulk.queueMs.max} ms of ${bound}`);
      }),
      { numRuns: 25 },
    );
  });

  test('an equal seed gives an equal report', async () => {
    await fc.assert(
      fc.asyncProperty(traffic, async (t) => {
        assert.deepEqual((await run('length', t)).report, (await run('length', t)).report);
      }),
      { numRuns: 10 },
    );
  });
});
