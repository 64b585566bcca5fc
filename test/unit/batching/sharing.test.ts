import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { BatcherOptions, ServiceClass } from '../../../src/batching/types.js';
import { predictRunMs } from '../../../src/cost/cost-curve.js';
import { closedLoop } from '../../../src/simulation/closed-loop.js';
import { drawLengths, tightMix } from '../../../src/simulation/length-mix.js';
import { seededRandom } from '../../../src/simulation/random.js';
import { replay } from '../../../src/simulation/replay.js';
import type { SimulationHooks } from '../../../src/simulation/simulation.js';
import type { Source } from '../../../src/simulation/types.js';
import { simulated } from '../simulation/simulation-setup.js';
import { errorOf, outcomeOf, setUp } from './batcher-setup.js';
import { ManualRunner } from './fake-runners.js';

/** About what a DistilBERT-base int8 run costs on two CPU cores. */
const curve = { baseMs: 4, msPerToken: 0.15, msPerTokenSquared: 0.0001 };
const BUDGET_TOKENS = 512;
const OPTIONS: Partial<BatcherOptions> = {
  budgetTokens: BUDGET_TOKENS,
  maxBatchItems: 64,
  maxQueueItems: 4_096,
  maxQueueTokens: 500_000,
  maxRunMs: 250,
  maxRunPercent: 25,
  costCurve: curve,
};

/** Simulates these callers side by side for so long. */
function simulate(
  durationMs: number,
  callers: readonly { readonly source: Source }[],
  batching: Partial<BatcherOptions> = {},
  hooks: SimulationHooks = {},
) {
  const sources = callers.map(({ source }) => source);
  // The look-ahead of the other tests here.
  return simulated(
    { curve, durationMs, batching: { ...OPTIONS, lookAhead: 256, ...batching } },
    sources,
    hooks,
  );
}

/** A caller that keeps `window` inputs in flight; counts what is answered before the simulated time ends. */
function keepBusy(caller: {
  readonly window: number;
  readonly serviceClass: ServiceClass;
  readonly lengths: () => number;
  /** Undefined: it has no flow of its own. */
  readonly flow?: number;
}) {
  const counts = { tokens: 0, inputs: 0, longestWaitMs: 0 };
  const { window, serviceClass, flow, lengths } = caller;
  const endless = { serviceClass, whenFull: 'wait', deadlineMs: Number.POSITIVE_INFINITY } as const;
  const source: Source = (port) =>
    closedLoop(
      1,
      window,
      endless,
      lengths,
    )({
      get isOpen() {
        return port.isOpen;
      },
      now: () => port.now(),
      sleep: (ms) => port.sleep(ms),
      submit: async (input) => {
        const sentAt = port.now();
        const answer = await port.submit({ ...input, flow });
        assert.equal(answer.outcome, 'answered');
        if (port.isOpen) {
          counts.tokens += input.tokens;
          counts.inputs++;
          counts.longestWaitMs = Math.max(counts.longestWaitMs, port.now() - sentAt);
        }
        return answer;
      },
    });
  return { counts, source };
}

/** A unary call, to be sent when a trace says. */
const inputOf = (tokens: number) =>
  ({ tokens, serviceClass: 'interactive', whenFull: 'refuse', flow: undefined }) as const;

const mixed = (seed: number) => drawLengths(tightMix, seededRandom(seed));

describe('the sharing of runners', () => {
  test('converges to the weights of the classes while both have enough to do', async () => {
    const windows = fc.integer({ min: 100, max: 300 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), windows, windows, async (interactiveWeight, a, b) => {
        const urgent = keepBusy({ window: a, serviceClass: 'interactive', lengths: mixed(1) });
        const bulk = keepBusy({ window: b, serviceClass: 'bulk', lengths: mixed(2), flow: 1 });
        await simulate(20_000, [urgent, bulk], { interactiveWeight });
        // What each may be ahead: the lead, and the batch that went beyond it; of both, for the class with the weight.
        const gap = Math.abs(urgent.counts.tokens / interactiveWeight - bulk.counts.tokens);
        assert.ok(bulk.counts.tokens > 20 * BUDGET_TOKENS);
        assert.ok(gap <= 3 * BUDGET_TOKENS, `${urgent.counts.tokens} : ${bulk.counts.tokens}`);
      }),
      { numRuns: 12 },
    );
  });

  test('is equal in tokens between flows of one class, to a few batches, however different their texts and windows', async () => {
    const flows = fc.array(
      fc.record({ window: fc.integer({ min: 64, max: 200 }), tokens: fc.integer({ min: 20, max: 100 }) }),
      { minLength: 2, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(flows, async (list) => {
        const busy = list.map(({ window, tokens }, flow) =>
          keepBusy({ window, serviceClass: 'bulk', flow, lengths: () => tokens }),
        );
        await simulate(20_000, busy, { maxAgeMs: 60_000 });
        const tokens = busy.map(({ counts }) => counts.tokens);
        assert.ok(Math.min(...tokens) > 10 * BUDGET_TOKENS);
        assert.ok(Math.max(...tokens) - Math.min(...tokens) <= 3 * BUDGET_TOKENS, tokens.join(' '));
      }),
      // Without a limit on the lead, lengths alone would prefer three of these flows; few random ones tell.
      { numRuns: 15, examples: [[[21, 86, 78, 21, 21].map((tokens) => ({ window: 64, tokens }))]] },
    );
  });

  test('starves nobody: each input of a flow waits no longer than its share of the runner takes for what is before it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 3, max: 300 }),
        async (streams, window, tokens) => {
          const urgent = keepBusy({ window: 100, serviceClass: 'interactive', lengths: mixed(1) });
          const others = Array.from({ length: streams }, (_, i) =>
            keepBusy({ window: 64, serviceClass: 'bulk', flow: i, lengths: mixed(i) }),
          );
          const own = keepBusy({ window, serviceClass: 'bulk', flow: streams, lengths: () => tokens });
          await simulate(30_000, [urgent, ...others, own]);
          // The bulk class has a fifth of the runner, the flow its part of that; padding and bases cost no more than
          // half of it, and for the leads of all others two batches each go by.
          const share = 1 / 5 / (streams + 1);
          const workMs = predictRunMs(curve, window, tokens) + 4 * window;
          const leadsMs = 2 * (streams + 2) * 5 * predictRunMs(curve, 1, BUDGET_TOKENS);
          const boundMs = (2 * workMs) / share + leadsMs;
          assert.ok(own.counts.inputs > 0);
          assert.ok(own.counts.longestWaitMs <= boundMs, `${own.counts.longestWaitMs} > ${boundMs}`);
        },
      ),
      { numRuns: 15 },
    );
  });

  test('lets the next run begin with the interactive input that came last, before all bulk inputs', async () => {
    const { batcher, clock, submit } = setUp({ maxBatchItems: 1, costCurve: curve });
    const runner = new ManualRunner();
    batcher.attach(runner);
    for (let i = 0; i < 5; i++) submit(`bulk ${i}`, 10, { serviceClass: 'bulk', flow: {} });
    await clock.settle();
    submit('urgent');
    runner.current.succeed();
    await clock.settle();
    assert.deepEqual(runner.log[1], ['urgent']);
  });

  test('changes nothing for one class and one flow', async () => {
    const runs: string[][][] = [];
    for (const serviceClass of ['interactive', 'bulk'] as const) {
      const { batcher, clock, submit } = setUp({ ...OPTIONS, maxRunPercent: 0 });
      const runner = new ManualRunner();
      batcher.attach(runner);
      const lengths = mixed(9);
      for (let i = 0; i < 200; i++) submit(`${i}`, lengths(), { serviceClass, flow: runner });
      await clock.settle();
      while (runner.runs.length > 0) {
        runner.current.succeed();
        await clock.settle();
      }
      runs.push(runner.log);
    }
    assert.ok((runs[0]?.length ?? 0) > 5);
    assert.deepEqual(runs[0], runs[1]);
  });
});

describe('a promoted input', () => {
  test('goes before the bulk inputs that it was behind', async () => {
    const { batcher, clock, submit } = setUp({ maxBatchItems: 1, costCurve: curve });
    const runner = new ManualRunner();
    batcher.attach(runner);
    const inputs = Array.from({ length: 6 }, (_, i) =>
      submit(`${i}`, 10, { serviceClass: 'bulk', flow: {} }),
    );
    await clock.settle();
    inputs[5]?.promote();
    inputs[5]?.promote();
    runner.current.succeed();
    await clock.settle();
    assert.deepEqual(runner.log[1], ['5']);
    inputs[5]?.promote();
    runner.current.succeed();
    inputs[5]?.promote();
    assert.equal(await outcomeOf(inputs[5] ?? assert.fail()), '5');
    assert.equal(batcher.queuedItems, 3);
  });

  test('comes in from the overflow of a queue that bulk inputs fill', () => {
    const { batcher, submit } = setUp({ maxQueueItems: 8 });
    const inputs = Array.from({ length: 10 }, (_, i) =>
      submit(`${i}`, 10, { serviceClass: 'bulk', whenFull: 'wait' }),
    );
    assert.deepEqual([batcher.queuedItems, batcher.overflowItems], [6, 4]);
    inputs[9]?.promote();
    // It still is of those that wait when the queue is full, and leaves room for those that would be refused.
    assert.deepEqual([batcher.queuedItems, batcher.overflowItems], [6, 4]);
    inputs[0]?.abandon();
    assert.deepEqual([batcher.queuedItems, batcher.overflowItems], [6, 3]);
  });
});

describe('the admission of interactive inputs', () => {
  test('takes one in with a deadline that the whole queue would not meet', async () => {
    const { batcher, clock, submit } = setUp(OPTIONS);
    batcher.attach(new ManualRunner());
    const flows = Array.from({ length: 4 }, () => ({}));
    for (let i = 0; i < 256; i++)
      submit(`b${i}`, 27, { serviceClass: 'bulk', flow: flows[i % 4], whenFull: 'wait' });
    await clock.settle();
    assert.ok(batcher.predictedDrainMs() > 800, `${batcher.predictedDrainMs()}`);
    assert.ok(batcher.predictedWaitMs('interactive') < 100, `${batcher.predictedWaitMs('interactive')}`);
    const urgent = submit('u', 20, { deadlineAt: clock.now() + 200 });
    assert.equal(await outcomeOf(urgent), 'pending');
  });

  test('answers in time what it took in, beside streams that wait for much longer', async () => {
    const streams = Array.from({ length: 4 }, (_, i) =>
      keepBusy({ window: 64, serviceClass: 'bulk', flow: i, lengths: mixed(i) }),
    );
    const urgent = { ...inputOf(20), deadlineMs: 200 };
    const calls = Array.from({ length: 20 }, (_, i) => ({ ...urgent, atMs: 2_000 + i * 97, tokens: 10 + i }));
    const source = replay([{ ...urgent, atMs: 0 }, ...calls], 1);
    const { classes } = await simulate(7_000, [...streams, { source }]);
    assert.equal(classes.interactive.arrivals, 21);
    assert.deepEqual(classes.interactive.outcomes, { answered: 21 });
    assert.ok(classes.bulk.latencyMs.p50 > 800, `${classes.bulk.latencyMs.p50}`);
  });

  test('refuses one at once that the interactive inputs ahead leave no time for, with their drain time', async () => {
    const { batcher, clock, submit } = setUp({ ...OPTIONS, interactiveWeight: 1 });
    batcher.attach(new ManualRunner());
    submit('running', 10);
    await clock.settle();
    for (let i = 0; i < 40; i++) submit(`u${i}`, 50);
    const alone = batcher.predictedWaitMs('interactive');
    for (let i = 0; i < 400; i++) submit(`b${i}`, 50, { serviceClass: 'bulk', whenFull: 'wait' });
    const shared = batcher.predictedWaitMs('interactive');
    assert.ok(shared > 1.8 * alone && shared < 2.2 * alone, `${alone} ${shared}`);
    const error = await errorOf(submit('late', 50, { deadlineAt: clock.now() + 200 }));
    assert.equal(error.reason, 'DEADLINE_UNREACHABLE');
    assert.equal(error.retryAfterMs, Math.ceil(batcher.predictedWaitMs('interactive')));
    assert.ok(batcher.predictedDrainMs() > 3 * error.retryAfterMs);
  });

  test('takes in a batch call that need not wait for all that streams have queued', async () => {
    const { batcher, clock, submit } = setUp({ ...OPTIONS, maxRunPercent: 0 });
    batcher.attach(new ManualRunner());
    submit('running', 10);
    await clock.settle();
    const [stream, call] = [{}, {}];
    for (let i = 0; i < 200; i++)
      submit(`s${i}`, 50, { serviceClass: 'bulk', flow: stream, whenFull: 'wait' });
    const deadlineAt = clock.now() + 500;
    assert.ok(batcher.predictedDrainMs() > 1_500);
    const inputs = Array.from({ length: 8 }, (_, i) =>
      submit(`c${i}`, 50, { serviceClass: 'bulk', flow: call, deadlineAt }),
    );
    assert.equal(await outcomeOf(inputs[7] ?? assert.fail()), 'pending');
    const more = Array.from({ length: 30 }, (_, i) =>
      submit(`m${i}`, 50, { serviceClass: 'bulk', flow: call, deadlineAt }),
    );
    assert.equal(await outcomeOf(more[29] ?? assert.fail()), 'resource_exhausted DEADLINE_UNREACHABLE');
    for (const { result } of [...inputs, ...more]) result.catch(() => undefined);
  });

  test('reckons with everything before an input where the policy knows no classes', async () => {
    const { batcher, clock, submit } = setUp({ ...OPTIONS, policy: 'window' });
    batcher.attach(new ManualRunner());
    submit('running', 10);
    await clock.settle();
    for (let i = 0; i < 100; i++) submit(`s${i}`, 50, { serviceClass: 'bulk', flow: {}, whenFull: 'wait' });
    assert.ok(batcher.predictedWaitMs('interactive') > 700);
    assert.equal(
      await outcomeOf(submit('late', 50, { deadlineAt: clock.now() + 500 })),
      'resource_exhausted DEADLINE_UNREACHABLE',
    );
  });

  test('reckons with no more than everything that is queued', async () => {
    const { batcher, clock, submit } = setUp({ ...OPTIONS, interactiveWeight: 1 });
    batcher.attach(new ManualRunner());
    submit('running', 10);
    await clock.settle();
    for (let i = 0; i < 40; i++) submit(`u${i}`, 50);
    submit('b', 5, { serviceClass: 'bulk', whenFull: 'wait' });
    assert.ok(batcher.predictedWaitMs('interactive') <= batcher.predictedDrainMs());
  });

  test('lets an idle runner try, so that a prediction can be corrected', async () => {
    const { batcher, clock, submit } = setUp({ ...OPTIONS });
    const runner = new ManualRunner();
    batcher.attach(runner);
    const hurried = submit('a', 400, { deadlineAt: clock.now() + 2 });
    await clock.settle();
    runner.current.succeed();
    assert.equal(await outcomeOf(hurried), 'a');
  });
});

describe('an input that would come too late', () => {
  test('leaves its place in the batch to those that can be in time', async () => {
    const { batcher, clock, events, submit } = setUp({ ...OPTIONS, maxRunPercent: 0 });
    const runner = new ManualRunner();
    batcher.attach(runner);
    submit('running', 500);
    await clock.settle();
    const late = submit('late', 100, { deadlineAt: 101, whenFull: 'wait' });
    const fine = submit('fine', 100);
    await clock.advance(100);
    runner.current.succeed();
    await clock.settle();
    assert.equal(await outcomeOf(late), 'deadline_exceeded DEADLINE_EXCEEDED');
    assert.deepEqual(runner.log[1], ['fine']);
    runner.current.succeed();
    assert.equal(await outcomeOf(fine), 'fine');
    assert.ok(events.includes('shed:expired'));
  });

  test('is run when the runner has nothing better to do', async () => {
    const { batcher, clock, submit } = setUp({ ...OPTIONS, maxRunPercent: 0 });
    const runner = new ManualRunner();
    batcher.attach(runner);
    submit('running', 500);
    await clock.settle();
    const late = submit('late', 100, { deadlineAt: 101, whenFull: 'wait' });
    await clock.advance(100);
    runner.current.succeed();
    await clock.settle();
    runner.current.succeed();
    assert.equal(await outcomeOf(late), 'late');
  });
});

describe('the cap on run times', () => {
  test('holds for all batches of several inputs while somebody is in a hurry', async () => {
    const deadlines = fc.integer({ min: 120, max: 600 });
    await fc.assert(
      fc.asyncProperty(deadlines, fc.integer({ min: 1, max: 4 }), async (deadlineMs, streams) => {
        const longer: number[] = [];
        const capMs = deadlineMs / 4;
        let hurried = false;
        const busy = Array.from({ length: streams }, (_, i) =>
          keepBusy({ window: 64, serviceClass: 'bulk', flow: i, lengths: mixed(i) }),
        );
        const calls = Array.from({ length: 10 }, (_, i) => ({ ...inputOf(20), atMs: i * 500, deadlineMs }));
        await simulate(
          5_000,
          [...busy, { source: replay(calls, 1) }],
          {},
          {
            onBatch: ({ items, runMs }) => {
              if (hurried && items > 1 && runMs > capMs * 1.001) longer.push(runMs);
            },
            // The run under way when the first one came was not capped.
            onMoment: ({ nowMs }) => (hurried = nowMs > 500),
          },
        );
        assert.deepEqual(longer, []);
        assert.ok(hurried);
      }),
      { numRuns: 10 },
    );
  });
});
