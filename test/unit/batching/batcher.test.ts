import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Batcher } from '../../../src/batching/batcher.js';
import { claimOf, defaultOptions, outcomeOf, setUp } from './batcher-setup.js';
import { ManualRunner, type Text, TimedRunner } from './fake-runners.js';

describe('the batcher', () => {
  test('runs a solo input at once when a runner is free', async () => {
    const { batcher, clock, submit } = setUp();
    const runner = new ManualRunner();
    batcher.attach(runner);
    const submission = submit('a');
    await clock.settle();
    runner.current.succeed();
    assert.deepEqual(await submission.result, { value: 'a', queueMs: 0, runMs: 1, batchSize: 1 });
    assert.equal(clock.now(), 0);
  });

  test('joins what is submitted in one turn of the event loop into one batch', async () => {
    const batcher = new Batcher<Text, string>(defaultOptions);
    const runner = new ManualRunner();
    batcher.attach(runner);
    const submit = (name: string): void => {
      void batcher.submit({ name, tokens: 10 }, 10, claimOf({})).result;
    };
    submit('a');
    await Promise.resolve();
    submit('b');
    await new Promise<void>((resolve) => process.nextTick(resolve));
    submit('c');
    await new Promise<void>((resolve) => setImmediate(resolve));
    assert.deepEqual(runner.log, [['a', 'b', 'c']]);
    runner.current.succeed();
    await batcher.close(new AbortController().signal);
  });

  test('forms the next batch when the runner is free and not before, out of all that has come by then', async () => {
    const { batcher, clock, submit } = setUp();
    const runner = new ManualRunner();
    batcher.attach(runner);
    submit('a');
    await clock.settle();
    submit('b', 20);
    await clock.settle();
    submit('c', 19);
    submit('d', 90);
    await clock.settle();
    assert.deepEqual(runner.log, [['a']]);
    runner.current.succeed();
    await clock.settle();
    assert.deepEqual(runner.log[1]?.toSorted(), ['b', 'c']);
  });

  test('gives every free runner its share, and the next batch to whichever is free first', async () => {
    const { batcher, clock, submit } = setUp();
    const [left, right] = [new ManualRunner(), new ManualRunner()];
    batcher.attach(left);
    batcher.attach(right);
    for (const name of ['a', 'b', 'c', 'd']) submit(name);
    await clock.settle();
    assert.deepEqual([left.current.inputs.length, right.current.inputs.length], [2, 2]);
    submit('e');
    right.current.succeed();
    await clock.settle();
    assert.deepEqual(right.log[1], ['e']);
    assert.equal(left.log.length, 1);
  });

  test('keeps inputs until a runner is attached, and gives a detached one nothing more', async () => {
    const { batcher, clock, submit } = setUp();
    const runner = new ManualRunner();
    const first = submit('a');
    await clock.advance(100);
    const detach = batcher.attach(runner);
    await clock.settle();
    detach();
    const second = submit('b');
    runner.current.succeed();
    await clock.settle();
    assert.equal(await outcomeOf(first), 'a');
    assert.equal(await outcomeOf(second), 'pending');
    assert.equal(batcher.runners, 0);
    batcher.attach(new TimedRunner(clock, { baseMs: 1, msPerToken: 0, msPerTokenSquared: 0 }));
    await clock.advance(1);
    assert.equal(await outcomeOf(second), 'b');
  });

  test('drops abandoned inputs before they reach a runner', async () => {
    const { batcher, clock, events, submit } = setUp();
    const runner = new ManualRunner();
    batcher.attach(runner);
    const abandoned = submit('a');
    const kept = submit('b');
    abandoned.abandon();
    await clock.settle();
    assert.deepEqual(runner.log, [['b']]);
    runner.current.succeed();
    assert.equal(await outcomeOf(abandoned), 'cancelled CANCELLED');
    assert.equal(await outcomeOf(kept), 'b');
    assert.deepEqual(events, ['shed:abandoned', 'batch:1:drained']);
  });

  test('ignores the result of an input that was abandoned during its run', async () => {
    const { batcher, clock, submit } = setUp();
    const runner = new ManualRunner();
    batcher.attach(runner);
    const abandoned = submit('a');
    const kept = submit('b');
    await clock.settle();
    abandoned.abandon();
    abandoned.abandon();
    assert.equal(await outcomeOf(abandoned), 'cancelled CANCELLED');
    runner.current.succeed();
    assert.equal(await outcomeOf(kept), 'b');
    kept.abandon();
    assert.equal(await outcomeOf(kept), 'b');
  });

  test('answers an input at its deadline, though no runner is free', async () => {
    const { batcher, clock, events, submit } = setUp();
    const runner = new ManualRunner();
    batcher.attach(runner);
    submit('a');
    await clock.settle();
    const late = submit('b', 10, { deadlineAt: 50 });
    await clock.advance(49);
    assert.equal(await outcomeOf(late), 'pending');
    await clock.advance(1);
    assert.equal(await outcomeOf(late), 'deadline_exceeded DEADLINE_EXCEEDED');
    assert.equal(batcher.queuedItems, 0);
    assert.deepEqual(events, ['shed:expired']);
  });

  test('lets an input live on when others with a later deadline have joined it', async () => {
    const { clock, submit } = setUp();
    const flight = { deadlineAt: 50 };
    const joined = submit('a', 10, flight);
    flight.deadlineAt = 80;
    await clock.advance(60);
    assert.equal(await outcomeOf(joined), 'pending');
    await clock.advance(20);
    assert.equal(await outcomeOf(joined), 'deadline_exceeded DEADLINE_EXCEEDED');
  });

  test('refuses an input whose deadline has passed already', async () => {
    const { clock, submit } = setUp();
    await clock.advance(10);
    assert.equal(await outcomeOf(submit('a', 10, { deadlineAt: 10 })), 'deadline_exceeded DEADLINE_EXCEEDED');
  });

  test('with a maximum delay holds a batch back until it is full or the oldest input has waited', async () => {
    const { batcher, clock, submit } = setUp({ maxDelayMs: 20, maxBatchItems: 3 });
    const runner = new ManualRunner();
    batcher.attach(runner);
    submit('a');
    await clock.advance(10);
    submit('b');
    await clock.advance(9);
    assert.deepEqual(runner.log, []);
    await clock.advance(1);
    assert.deepEqual(runner.log, [['a', 'b']]);
    runner.current.succeed();
    for (const name of ['c', 'd', 'e']) submit(name);
    await clock.settle();
    assert.deepEqual(runner.log[1], ['c', 'd', 'e']);
  });

  test('in fifo mode freezes the next batch while the runner is busy', async () => {
    const { batcher, clock, submit } = setUp({ policy: 'fifo' });
    const runner = new ManualRunner();
    batcher.attach(runner);
    submit('a');
    await clock.settle();
    submit('b', 90);
    submit('c', 5);
    await clock.settle();
    submit('d');
    await clock.settle();
    runner.current.succeed();
    await clock.settle();
    runner.current.succeed();
    await clock.settle();
    assert.deepEqual(runner.log, [['a'], ['b', 'c'], ['d']]);
  });

  test('in window mode takes the order of arrival after a fixed wait', async () => {
    const { batcher, clock, submit } = setUp({ policy: 'window', maxDelayMs: 5 });
    const runner = new ManualRunner();
    batcher.attach(runner);
    submit('a', 90);
    await clock.advance(3);
    submit('b', 5);
    await clock.advance(1);
    assert.deepEqual(runner.log, []);
    await clock.advance(1);
    assert.deepEqual(runner.log, [['a', 'b']]);
  });

  test('tells what is queued, what runs, and how long runners have been busy', async () => {
    const depths: number[] = [];
    const { batcher, clock, submit } = setUp({}, { onQueue: ({ tokens }) => depths.push(tokens) });
    const runner = new ManualRunner();
    batcher.attach(runner);
    submit('a', 10);
    await clock.settle();
    submit('b', 20);
    submit('c', 22);
    assert.deepEqual(
      [batcher.queuedItems, batcher.queuedTokens, batcher.inFlightItems, batcher.runners],
      [2, 42, 1, 1],
    );
    assert.equal(depths.at(-1), 42);
    await clock.advance(7);
    assert.equal(batcher.busyMs, 7);
    runner.current.succeed();
    await clock.settle();
    await clock.advance(3);
    assert.equal(batcher.busyMs, 10);
    assert.equal(batcher.inFlightItems, 2);
  });

  test('learns from live batches what runs cost', async () => {
    const { batcher, clock, submit } = setUp();
    const runner = new ManualRunner();
    batcher.attach(runner);
    assert.equal(batcher.costCurve, undefined);
    assert.equal(batcher.predictedDrainMs(), 0);
    submit('a', 10);
    await clock.advance(30);
    runner.current.succeed();
    await clock.settle();
    assert.ok(batcher.costCurve !== undefined);
    submit('b', 10);
    await clock.settle();
    assert.ok(Math.abs(batcher.predictedDrainMs() - 30) < 1e-9);
    await clock.advance(10);
    assert.ok(Math.abs(batcher.predictedDrainMs() - 20) < 1e-9);
  });
});
