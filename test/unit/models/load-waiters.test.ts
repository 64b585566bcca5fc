import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LoadClaim, LoadWaiters } from '../../../src/models/load-waiters.js';
import { VirtualClock } from '../../../src/simulation/virtual-clock.js';

const claim = (more: Partial<LoadClaim> = {}): LoadClaim => ({
  ...{
    signal: new AbortController().signal,
    deadlineAt: Number.POSITIVE_INFINITY,
    serviceClass: 'interactive',
  },
  ...more,
});

describe('those who wait for a load', () => {
  it('hear of its end, all at once', async () => {
    const waiters = new LoadWaiters({ waiters: 4, bytes: 100 }, new VirtualClock());
    const waits = [waiters.wait(claim(), 1), waiters.wait(claim(), 1)];
    assert.equal(waiters.size, 2);
    waiters.resolve();
    await Promise.all(waits);
    assert.equal(waiters.size, 0);
    const failed = waiters.wait(claim(), 1);
    waiters.reject(new Error('no memory'));
    await assert.rejects(failed, /no memory/);
  });

  it('leave with their signal or at their deadline, and their room is free', async () => {
    const clock = new VirtualClock();
    const waiters = new LoadWaiters({ waiters: 2, bytes: 100 }, clock);
    const leaving = new AbortController();
    const first = waiters.wait(claim({ signal: leaving.signal }), 60);
    const second = waiters.wait(claim({ deadlineAt: 500 }), 40);
    second.catch(() => {});
    assert.equal(waiters.hasRoom('interactive', 0), false);
    leaving.abort(new Error('gone'));
    await assert.rejects(first, /gone/);
    assert.deepEqual([waiters.hasRoom('interactive', 60), waiters.hasRoom('interactive', 61)], [true, false]);
    await clock.advance(500);
    await assert.rejects(second, { reason: 'DEADLINE_EXCEEDED' });
    assert.deepEqual([waiters.size, waiters.hasRoom('interactive', 100)], [0, true]);
    await assert.rejects(waiters.wait(claim({ signal: leaving.signal }), 1), /gone/);
    assert.equal(waiters.size, 0);
    waiters.resolve();
    assert.equal(clock.pendingTimers, 0);
  });

  it('of the bulk class leave a quarter to the others', () => {
    const waiters = new LoadWaiters({ waiters: 4, bytes: 100 }, new VirtualClock());
    for (let count = 0; count < 3; count++) {
      assert.ok(waiters.hasRoom('bulk', 25));
      void waiters.wait(claim({ serviceClass: 'bulk' }), 25);
    }
    assert.deepEqual([waiters.hasRoom('bulk', 0), waiters.hasRoom('interactive', 25)], [false, true]);
  });
});
