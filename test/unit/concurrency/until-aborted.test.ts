import assert from 'node:assert/strict';
import { test } from 'node:test';
import { untilAborted } from '../../../src/concurrency/until-aborted.js';

test('it waits for the promise, whichever way that settles', async () => {
  const { signal } = new AbortController();
  await untilAborted(Promise.resolve(1), signal);
  await untilAborted(Promise.reject(new Error('no')), signal);
});

test('it waits no longer than for the signal', async () => {
  const controller = new AbortController();
  const waiting = untilAborted(new Promise(() => {}), controller.signal);
  controller.abort();
  await waiting;
  await untilAborted(new Promise(() => {}), controller.signal);
});

test('it does nothing before either', async () => {
  let done = false;
  void untilAborted(new Promise(() => {}), new AbortController().signal).then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(done, false);
});
