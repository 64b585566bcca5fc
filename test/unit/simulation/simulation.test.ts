import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { closedLoop } from '../../../src/simulation/closed-loop.js';
import { drawLengths, tightMix, wideMix } from '../../../src/simulation/length-mix.js';
import { poissonArrivals } from '../../../src/simulation/poisson-arrivals.js';
import { seededRandom } from '../../../src/simulation/random.js';
import { replay } from '../../../src/simulation/replay.js';
import { simulated } from './simulation-setup.js';

const patient = {
  serviceClass: 'interactive',
  whenFull: 'refuse',
  deadlineMs: Number.POSITIVE_INFINITY,
} as const;
const bulk = { serviceClass: 'bulk', whenFull: 'wait', deadlineMs: Number.POSITIVE_INFINITY } as const;

describe('a simulation', () => {
  test('of one input tells exactly what it took', async () => {
    const report = await simulated({}, [replay([{ ...patient, atMs: 7, tokens: 100, flow: undefined }], 1)]);
    const runMs = 4 + 55 + 2;
    assert.equal(report.all.arrivals, 1);
    assert.deepEqual(report.all.outcomes, { answered: 1 });
    assert.ok(Math.abs(report.all.latencyMs.max - runMs) < 1e-9);
    assert.equal(report.all.queueMs.max, 0);
    assert.ok(Math.abs(report.seconds - (7 + runMs) / 1_000) < 1e-9);
  });

  test('counts an answer that comes after the deadline as late, and one that cannot come in time as refused', async () => {
    const impatient = { ...patient, tokens: 100, flow: undefined };
    const report = await simulated({ noise: 0.5, maxArrivals: 200 }, [
      poissonArrivals(5, { ...impatient, deadlineMs: 70 }, () => 100, seededRandom(3)),
    ]);
    const { answered = 0, late = 0, deadline_unreachable: refused = 0 } = report.all.outcomes;
    assert.ok(answered > 0 && late > 0 && refused > 0, JSON.stringify(report.all.outcomes));
    assert.ok(report.all.goodput < report.all.throughput);
  });

  test('leaves out what came in the warm-up', async () => {
    const trace = [0, 10, 5_000].map((atMs) => ({ ...patient, atMs, tokens: 10, flow: undefined }));
    const report = await simulated({ warmUpMs: 1_000 }, [replay(trace, 1)]);
    assert.equal(report.all.arrivals, 1);
    assert.equal(report.batches.count, 1);
    assert.ok(report.seconds > 4 && report.seconds < 4.1);
    assert.ok(report.busyShare < 0.01);
  });

  test('plays a trace twice as fast when asked to', async () => {
    const trace = [0, 5_000, 10_000].map((atMs) => ({ ...patient, atMs, tokens: 10, flow: undefined }));
    const { seconds } = await simulated({}, [replay(trace, 2)]);
    assert.ok(seconds > 5 && seconds < 5.1, `${seconds}`);
  });

  test('gives the same numbers for the same seed, and others for another', async () => {
    const once = async (seed: number) =>
      JSON.stringify(
        await simulated({ maxArrivals: 500, noise: 0.2, random: seededRandom(seed) }, [
          poissonArrivals(30, patient, drawLengths(wideMix, seededRandom(seed)), seededRandom(seed + 1)),
          closedLoop(2, 8, bulk, drawLengths(tightMix, seededRandom(seed + 2))),
        ]),
      );
    const first = await once(5);
    assert.equal(await once(5), first);
    assert.notEqual(await once(6), first);
  });

  test('can be given up', async () => {
    const giveUp = new AbortController();
    const endless = closedLoop(1, 4, bulk, () => 10);
    const hooks = { onEnd: () => giveUp.abort(new Error('given up')) };
    await assert.rejects(simulated({}, [endless], hooks, giveUp.signal), /given up/);
  });

  test('fails with what a source fails with', async () => {
    const stopped = simulated({}, [
      async (port) => {
        await port.sleep(1);
        throw new Error('the source gave up');
      },
    ]);
    await assert.rejects(stopped, /the source gave up/);
  });
});

describe('known results of queueing theory', () => {
  const SERVICE_MS = 10;
  /** One at a time, each run takes the same. */
  const single = {
    curve: { baseMs: SERVICE_MS, msPerToken: 0, msPerTokenSquared: 0 },
    batching: { maxBatchItems: 1, maxQueueItems: 1_000_000, maxQueueTokens: 1_000_000_000 },
    maxArrivals: 20_000,
    warmUpMs: 5_000,
  };

  for (const load of [0.3, 0.6, 0.8]) {
    test(`M/D/1: at ${load} of the capacity the mean wait is load x service / (2 x (1 - load))`, async () => {
      const { all, busyShare } = await simulated(single, [
        poissonArrivals((load * 1_000) / SERVICE_MS, patient, () => 10, seededRandom(11)),
      ]);
      const expected = (load * SERVICE_MS) / (2 * (1 - load));
      assert.ok(Math.abs(all.queueMs.mean / expected - 1) < 0.1, `${all.queueMs.mean} for ${expected}`);
      assert.ok(Math.abs(busyShare - load) < 0.02, `busy ${busyShare}`);
    });
  }

  test('closed loop: throughput x mean latency is what is in flight (Little)', async () => {
    const { all } = await simulated({ maxArrivals: 5_000 }, [
      closedLoop(1, 16, bulk, drawLengths(tightMix, seededRandom(2))),
    ]);
    const inFlight = (all.throughput * all.latencyMs.mean) / 1_000;
    assert.ok(Math.abs(inFlight - 16) < 0.2, `${inFlight}`);
  });

  test('two sessions at twice the rate are as busy as one', async () => {
    const busy = async (runners: number) =>
      (
        await simulated({ ...single, runners, maxArrivals: 5_000 }, [
          poissonArrivals(50 * runners, patient, () => 10, seededRandom(4)),
        ])
      ).busyShare;
    assert.ok(Math.abs((await busy(1)) - (await busy(2))) < 0.02);
  });
});

describe('what was measured on real models shows in the simulation', () => {
  const throughput = async (policy: 'length' | 'fifo' | 'window', maxBatchItems: number, mix = wideMix) => {
    const batching = { policy, maxBatchItems, maxDelayMs: policy === 'window' ? 10 : 0 };
    const { all } = await simulated({ batching, maxArrivals: 2_000 }, [
      closedLoop(1, 32, bulk, drawLengths(mix, seededRandom(8))),
    ]);
    return all.throughput;
  };

  test('by length beats the order of arrival, and most where lengths differ most', async () => {
    const [length, fifo, window] = [
      await throughput('length', 256),
      await throughput('fifo', 8),
      await throughput('window', 32),
    ];
    assert.ok(length > fifo * 1.5 && fifo > window, `${length}, ${fifo}, ${window}`);
    const tight = (await throughput('length', 256, tightMix)) / (await throughput('fifo', 8, tightMix));
    assert.ok(tight > 1.1 && tight < length / fifo, `${tight}`);
  });

  test('interactive inputs keep their deadlines beside saturating streams', async () => {
    const { classes } = await simulated({ durationMs: 60_000 }, [
      poissonArrivals(
        10,
        { ...patient, deadlineMs: 500 },
        drawLengths(tightMix, seededRandom(1)),
        seededRandom(2),
      ),
      closedLoop(4, 64, bulk, drawLengths(tightMix, seededRandom(3))),
    ]);
    const { arrivals, outcomes } = classes.interactive;
    assert.ok((outcomes.answered ?? 0) >= arrivals * 0.99, JSON.stringify(outcomes));
    assert.ok(classes.bulk.throughput > 10);
  });
});
