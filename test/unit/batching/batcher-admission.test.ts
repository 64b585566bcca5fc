import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { claimOf, errorOf, outcomeOf, setUp } from './batcher-setup.js';
import { ManualRunner } from './fake-runners.js';

const costCurve = { baseMs: 10, msPerToken: 1, msPerTokenSquared: 0 };

describe('the admission to the batcher', () => {
  test('refuses an input that would rather be refused when the queue is full, with the time it takes to drain', async () => {
    const { clock, batcher, events, submit } = setUp({ maxQueueItems: 2, costCurve });
    const runner = new ManualRunner();
    batcher.attach(runner);
    submit('a', 20);
    await clock.settle();
    submit('b', 20);
    submit('c', 20);
    const error = await errorOf(submit('d', 20));
    assert.deepEqual([error.code, error.reason], ['resource_exhausted', 'QUEUE_FULL']);
    // The run under way, then one batch of two with the padding that is assumed at first.
    assert.equal(error.retryAfterMs, 30 + 10 + 1.1 * 40);
    assert.deepEqual(events, ['shed:queue_full']);
  });

  test('suggests a retry delay though it knows nothing of the costs', async () => {
    const { submit } = setUp({ maxQueueItems: 1 });
    submit('a');
    assert.equal((await errorOf(submit('b'))).retryAfterMs, 100);
  });

  test('decides at the door, before the length is known, and settles it afterwards', async () => {
    const { clock, batcher, events } = setUp({ maxQueueItems: 2, maxQueueTokens: 60, costCurve });
    const runner = new ManualRunner();
    batcher.attach(runner);
    const first = batcher.admit(20, claimOf({ deadlineAt: 500 }));
    assert.deepEqual([batcher.queuedItems, batcher.queuedTokens, first.admitted], [1, 20, undefined]);
    await clock.settle();
    assert.equal(runner.runs.length, 0, 'there is nothing to run yet');
    first.submit({ name: 'first', tokens: 30 }, 30);
    await clock.settle();
    assert.deepEqual([batcher.queuedTokens, runner.log], [0, [['first']]]);
    const second = batcher.admit(20, claimOf({}));
    const third = batcher.admit(20, claimOf({}));
    const full = batcher.admit(20, claimOf({}));
    assert.equal(await outcomeOf(full), 'resource_exhausted QUEUE_FULL');
    // Longer than was thought, and the queue is full: it comes in all the same.
    second.submit({ name: 'second', tokens: 59 }, 59);
    assert.deepEqual([batcher.queuedItems, batcher.queuedTokens], [2, 79]);
    third.abandon();
    third.submit({ name: 'third', tokens: 10 }, 10);
    assert.equal(await outcomeOf(third), 'cancelled CANCELLED');
    assert.deepEqual([batcher.queuedItems, batcher.queuedTokens], [1, 59]);
    runner.current.succeed();
    await clock.settle();
    runner.current.succeed();
    assert.deepEqual(await Promise.all([first, second].map(outcomeOf)), ['first', 'second']);
    assert.equal(batcher.queuedItems, 0);
    assert.ok(events.includes('shed:queue_full') && events.includes('shed:abandoned'));
  });

  test('gives the room that an overestimated input leaves to one that waits', async () => {
    const { batcher } = setUp({ maxQueueTokens: 80 });
    const patient = { whenFull: 'wait', flow: {} } as const;
    const long = batcher.admit(50, claimOf(patient));
    const waiting = batcher.admit(20, claimOf(patient));
    assert.deepEqual([batcher.queuedItems, batcher.overflowItems], [1, 1]);
    long.submit({ name: 'long', tokens: 10 }, 10);
    await waiting.admitted;
    assert.deepEqual([batcher.queuedItems, batcher.queuedTokens, batcher.overflowItems], [2, 30, 0]);
  });

  test('a permit that is waited for is granted in turn, and gives way to its deadline', async () => {
    const { clock, batcher } = setUp({ maxQueueItems: 1 });
    const runner = new ManualRunner();
    batcher.attach(runner);
    const patient = { whenFull: 'wait', serviceClass: 'bulk' } as const;
    const first = batcher.admit(10, claimOf(patient));
    const second = batcher.admit(10, claimOf(patient));
    const late = batcher.admit(10, claimOf({ ...patient, deadlineAt: 5 }));
    const granted: string[] = [];
    void second.admitted?.then(() => granted.push('second'));
    const lateIn = late.admitted?.then(
      () => 'in',
      (error: Error) => error.message,
    );
    assert.equal(first.admitted, undefined);
    await clock.advance(6);
    assert.deepEqual([granted, batcher.overflowItems], [[], 1]);
    assert.match((await lateIn) ?? '', /deadline/);
    first.submit({ name: 'first', tokens: 10 }, 10);
    await clock.settle();
    assert.deepEqual(granted, ['second']);
    second.submit({ name: 'second', tokens: 10 }, 10);
    runner.current.succeed();
    await clock.settle();
    runner.current.succeed();
    assert.equal(await outcomeOf(second), 'second');
  });

  test('an input that expires, or is refused at the end, while it is prepared gives its room back', async () => {
    const { clock, batcher } = setUp();
    batcher.attach(new ManualRunner());
    const expiring = batcher.admit(10, claimOf({ deadlineAt: 5 }));
    const left = batcher.admit(10, claimOf({}));
    await clock.advance(6);
    assert.equal(await outcomeOf(expiring), 'deadline_exceeded DEADLINE_EXCEEDED');
    assert.equal(batcher.queuedItems, 1);
    await batcher.close(AbortSignal.abort());
    assert.equal(await outcomeOf(left), 'unavailable DRAINING');
    left.submit({ name: 'left', tokens: 10 }, 10);
    assert.equal(batcher.queuedItems, 0);
  });

  test('tells every arrival once, with its true length where that came to be known', async () => {
    const told: string[] = [];
    const { batcher, submit } = setUp(
      { maxQueueItems: 1 },
      { onArrival: ({ tokens, whenFull }) => told.push(`${tokens} ${whenFull}`) },
    );
    const permit = batcher.admit(20, claimOf({}));
    submit('refused', 7);
    permit.submit({ name: 'a', tokens: 30 }, 30);
    submit('waits', 8, { whenFull: 'wait' });
    assert.deepEqual(told, ['7 refuse', '30 refuse', '8 wait']);
    await batcher.close(AbortSignal.abort());
  });

  test('bounds the queue in tokens too', async () => {
    const { submit } = setUp({ maxQueueTokens: 50 });
    submit('a', 30);
    assert.equal(await outcomeOf(submit('b', 30)), 'resource_exhausted QUEUE_FULL');
    assert.equal(await outcomeOf(submit('c', 20)), 'pending');
  });

  test('lets an input wait in the overflow of a full queue when it would rather wait, first come first served', async () => {
    const { clock, batcher, submit } = setUp({ maxQueueItems: 4, maxBatchItems: 1 });
    const runner = new ManualRunner();
    const wait = { whenFull: 'wait' } as const;
    for (const name of ['a', 'b', 'c', 'd', 'e']) submit(name, 10, wait);
    assert.deepEqual([batcher.queuedItems, batcher.overflowItems], [3, 2]);
    batcher.attach(runner);
    for (let i = 0; i < 5; i++) {
      await clock.settle();
      runner.current.succeed();
    }
    await clock.settle();
    assert.deepEqual(runner.log, [['a'], ['b'], ['c'], ['d'], ['e']]);
  });

  test('ends the wait in the overflow at the deadline and when abandoned, like one in the queue', async () => {
    const { clock, batcher, submit } = setUp({ maxQueueItems: 1 });
    submit('a');
    const expiring = submit('b', 10, { whenFull: 'wait', deadlineAt: 20 });
    const leaving = submit('c', 10, { whenFull: 'wait' });
    leaving.abandon();
    await clock.advance(20);
    assert.equal(await outcomeOf(expiring), 'deadline_exceeded DEADLINE_EXCEEDED');
    assert.equal(await outcomeOf(leaving), 'cancelled CANCELLED');
    assert.equal(batcher.overflowItems, 0);
  });

  test('gives the room of an abandoned input to the first of the overflow', async () => {
    const { batcher, submit } = setUp({ maxQueueItems: 1 });
    const first = submit('a');
    submit('b', 10, { whenFull: 'wait' });
    assert.equal(batcher.overflowItems, 1);
    first.abandon();
    assert.deepEqual([batcher.queuedItems, batcher.overflowItems], [1, 0]);
  });

  test('shares a full queue between those who wait and those who are refused, so that neither is shut out', async () => {
    const { clock, batcher, submit } = setUp({ maxQueueItems: 8, maxBatchItems: 4 });
    const runner = new ManualRunner();
    batcher.attach(runner);
    let waited = 0;
    let refusable = 0;
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 12; i++) {
        submit(`stream ${round}.${i}`, 10, { whenFull: 'wait' });
        // Refusals are what a saturated queue is for.
        submit(`unary ${round}.${i}`).result.catch(() => undefined);
      }
      await clock.settle();
      runner.current.succeed();
      await clock.settle();
    }
    for (const name of runner.log.flat()) {
      if (name.startsWith('stream')) waited++;
      else refusable++;
    }
    assert.ok(waited >= 0.25 * (waited + refusable), `${waited} of ${waited + refusable}`);
    assert.ok(refusable >= 0.2 * (waited + refusable), `${refusable} of ${waited + refusable}`);
  });

  test('refuses at once when the predicted finish is later than the deadline, with the time it takes to drain', async () => {
    const { batcher, clock, events, submit } = setUp({ costCurve });
    const runner = new ManualRunner();
    batcher.attach(runner);
    submit('a', 50);
    await clock.settle();
    const error = await errorOf(submit('b', 20, { deadlineAt: 80 }));
    assert.deepEqual([error.code, error.reason], ['resource_exhausted', 'DEADLINE_UNREACHABLE']);
    // 60 ms are left of the run under way, and its own takes 30.
    assert.equal(error.retryAfterMs, 60);
    assert.equal(await outcomeOf(submit('c', 20, { deadlineAt: 90 })), 'pending');
    assert.deepEqual(events, ['shed:deadline']);
  });

  test('reckons with every attached runner', async () => {
    const { batcher, clock, submit } = setUp({ costCurve });
    batcher.attach(new ManualRunner());
    submit('a', 50);
    await clock.settle();
    batcher.attach(new ManualRunner());
    assert.equal(await outcomeOf(submit('b', 20, { deadlineAt: 80 })), 'pending');
  });

  test('judges no deadline without a calibrated curve, nor of inputs that would rather wait', async () => {
    const uncalibrated = setUp();
    uncalibrated.batcher.attach(new ManualRunner());
    uncalibrated.submit('a', 90);
    assert.equal(await outcomeOf(uncalibrated.submit('b', 90, { deadlineAt: 1 })), 'pending');
    const calibrated = setUp({ costCurve });
    calibrated.batcher.attach(new ManualRunner());
    calibrated.submit('a', 90);
    const waiting = calibrated.submit('b', 90, { deadlineAt: 1, whenFull: 'wait' });
    assert.equal(await outcomeOf(waiting), 'pending');
  });

  test('gives up on inputs when no runner has been attached for the grace, until one is', async () => {
    const { batcher, clock, events, submit } = setUp({ noRunnerGraceMs: 1_000 });
    const queued = submit('a');
    await clock.advance(999);
    assert.equal(await outcomeOf(queued), 'pending');
    await clock.advance(1);
    assert.equal(await outcomeOf(queued), 'unavailable NO_INSTANCE');
    assert.equal(await outcomeOf(submit('b', 10, { whenFull: 'wait' })), 'unavailable NO_INSTANCE');
    assert.deepEqual(events, ['shed:no_instance', 'shed:no_instance']);
    const runner = new ManualRunner();
    const detach = batcher.attach(runner);
    const served = submit('c');
    await clock.advance(5_000);
    runner.current.succeed();
    assert.equal(await outcomeOf(served), 'c');
    detach();
    await clock.advance(999);
    assert.equal(await outcomeOf(submit('d')), 'pending');
    await clock.advance(1);
    assert.equal(await outcomeOf(submit('e')), 'unavailable NO_INSTANCE');
  });
});
