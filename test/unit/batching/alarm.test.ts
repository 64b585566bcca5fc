import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Alarm } from '../../../src/batching/clock.js';
import { VirtualClock } from '../../../src/simulation/virtual-clock.js';

describe('the alarm', () => {
  test('goes off once, at the time it was last set to', async () => {
    const clock = new VirtualClock();
    const rings: number[] = [];
    const alarm = new Alarm(clock, () => rings.push(clock.now()));
    alarm.set(10);
    alarm.set(30);
    await clock.advance(100);
    assert.deepEqual(rings, [30]);
    assert.equal(alarm.at, Number.POSITIVE_INFINITY);
  });

  test('does not go off when it was called off, and leaves no timer behind', async () => {
    const clock = new VirtualClock();
    const rings: number[] = [];
    const alarm = new Alarm(clock, () => rings.push(clock.now()));
    alarm.set(10);
    alarm.cancel();
    assert.equal(clock.pendingTimers, 0);
    await clock.advance(100);
    assert.deepEqual(rings, []);
  });

  test('waits on when its timer fires early', () => {
    let now = 0;
    const started: { callback: () => void; delayMs: number }[] = [];
    const rings: number[] = [];
    const alarm = new Alarm(
      {
        now: () => now,
        startTimer: (callback, delayMs) => {
          started.push({ callback, delayMs });
          return () => undefined;
        },
        defer: () => undefined,
      },
      () => rings.push(now),
    );
    alarm.set(10);
    now = 9.5;
    started[0]?.callback();
    assert.deepEqual(rings, []);
    assert.equal(started[1]?.delayMs, 0.5);
    now = 10;
    started[1]?.callback();
    assert.deepEqual(rings, [10]);
  });
});
