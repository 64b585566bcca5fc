import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { outcomeOf, setUp } from './batcher-setup.js';
import { ManualRunner } from './fake-runners.js';

function watch(promise: Promise<void>): { done: boolean } {
  const state = { done: false };
  void promise.then(() => {
    state.done = true;
  });
  return state;
}

describe('closing the batcher', () => {
  test('refuses new inputs and finishes those queued, running and in the overflow', async () => {
    const { batcher, clock, submit } = setUp({ maxQueueItems: 1, maxBatchItems: 1 });
    const runner = new ManualRunner();
    batcher.attach(runner);
    const running = submit('a');
    await clock.settle();
    const queued = submit('b');
    const waiting = submit('c', 10, { whenFull: 'wait' });
    const closed = watch(batcher.close(new AbortController().signal));
    assert.equal(await outcomeOf(submit('d')), 'unavailable DRAINING');
    for (let i = 0; i < 3; i++) {
      assert.equal(closed.done, false);
      runner.current.succeed();
      await clock.settle();
    }
    assert.equal(closed.done, true);
    assert.deepEqual(await Promise.all([running, queued, waiting].map(outcomeOf)), ['a', 'b', 'c']);
    assert.equal(clock.pendingTimers, 0);
  });

  test('resolves at once when there is nothing to finish, as often as it is asked', async () => {
    const { batcher, clock } = setUp();
    await batcher.close(new AbortController().signal);
    await batcher.close(AbortSignal.abort());
    assert.equal(clock.pendingTimers, 0);
  });

  test('leaves no timer and no listener behind, though runners are detached afterwards', async () => {
    const { batcher, clock, submit } = setUp();
    const detach = batcher.attach(new ManualRunner());
    const expiring = submit('a', 10, { deadlineAt: 1_000 });
    expiring.abandon();
    const { signal } = new AbortController();
    await batcher.close(signal);
    detach();
    assert.equal(clock.pendingTimers, 0);
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
  });

  test('answers the rest as unavailable when the signal aborts, without waiting for the run', async () => {
    const { batcher, clock, submit } = setUp({ maxBatchItems: 1 });
    const runner = new ManualRunner();
    batcher.attach(runner);
    const rest = [submit('a'), submit('b', 10, { deadlineAt: 1_000 })];
    await clock.settle();
    const force = new AbortController();
    const closed = watch(batcher.close(force.signal));
    await clock.settle();
    assert.equal(closed.done, false);
    force.abort();
    await clock.settle();
    assert.equal(closed.done, true);
    assert.deepEqual(await Promise.all(rest.map(outcomeOf)), [
      'unavailable DRAINING',
      'unavailable DRAINING',
    ]);
    runner.current.succeed();
    await clock.settle();
    assert.equal(runner.log.length, 1);
    assert.equal(clock.pendingTimers, 0);
  });

  test('does not hold a batch back any longer', async () => {
    const { batcher, clock, submit } = setUp({ maxDelayMs: 1_000 });
    const runner = new ManualRunner();
    batcher.attach(runner);
    const held = submit('a');
    await clock.settle();
    assert.equal(runner.runs.length, 0);
    const closed = watch(batcher.close(new AbortController().signal));
    runner.current.succeed();
    await clock.settle();
    assert.equal(await outcomeOf(held), 'a');
    assert.equal(closed.done, true);
  });

  test('ends when the last queued input is abandoned or has expired', async () => {
    const { batcher, clock, submit } = setUp();
    const abandoned = submit('a');
    submit('b', 10, { deadlineAt: 50 }).result.catch(() => undefined);
    const closed = watch(batcher.close(new AbortController().signal));
    abandoned.abandon();
    await clock.advance(49);
    assert.equal(closed.done, false);
    await clock.advance(1);
    assert.equal(closed.done, true);
  });
});
