import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SharedOutcome } from '../../../src/concurrency/shared-outcome.js';
import { until } from '../../support/until.js';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** A task that the test ends. */
function openTask() {
  let end: { resolve: (value: string) => void; reject: (error: Error) => void } | undefined;
  const promise = new Promise<string>((resolve, reject) => {
    end = { resolve, reject };
  });
  return {
    promise,
    resolve: (value: string) => end?.resolve(value),
    reject: (error: Error) => end?.reject(error),
  };
}

describe('the outcome of a task that many wait for', () => {
  it('is told to each of them, and to those who come after it', async () => {
    const task = openTask();
    const outcome = new SharedOutcome(task.promise);
    const waits = [outcome.wait(), outcome.wait(new AbortController().signal)];
    task.resolve('done');
    assert.deepEqual(await Promise.all([...waits, outcome.wait()]), ['done', 'done', 'done']);
  });

  it('may be a failure', async () => {
    const task = openTask();
    const outcome = new SharedOutcome(task.promise);
    const waits = [outcome.wait(), outcome.wait(new AbortController().signal)];
    task.reject(new Error('broken'));
    for (const wait of [...waits, outcome.wait()]) await assert.rejects(wait, /broken/);
  });

  it('is not waited for by who leaves, and all the same by the others', async () => {
    const task = openTask();
    const outcome = new SharedOutcome(task.promise);
    const caller = new AbortController();
    const [left, stays] = [outcome.wait(caller.signal), outcome.wait()];
    caller.abort(new Error('left'));
    await assert.rejects(left, /left/);
    await assert.rejects(outcome.wait(caller.signal), /left/);
    task.resolve('done');
    assert.equal(await stays, 'done');
  });

  it('keeps nothing of who has left', async () => {
    const outcome = new SharedOutcome(new Promise<string>(() => {}));
    const comeAndGo = async (): Promise<WeakRef<AbortSignal>> => {
      const caller = new AbortController();
      const wait = outcome.wait(caller.signal);
      caller.abort(new Error('left'));
      await assert.rejects(wait, /left/);
      return new WeakRef(caller.signal);
    };
    const signal = await comeAndGo();
    await until('it is collected', () => {
      collectGarbage();
      return signal.deref() === undefined;
    });
    // The task is still there for others.
    assert.ok(outcome.wait() instanceof Promise);
  });
});
