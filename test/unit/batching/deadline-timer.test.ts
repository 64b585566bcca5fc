import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DeadlineTimer } from '../../../src/batching/queueing/deadline-timer.js';
import { VirtualClock } from '../../../src/simulation/virtual-clock.js';

function timed(deadlineAt: number) {
  return { deadlineAt, heapIndex: -1 };
}

describe('the deadline timer', () => {
  test('calls each input back at its own deadline, in order, and removed ones never', async () => {
    const entry = fc.record({ deadlineAt: fc.integer({ min: 1, max: 100 }), removed: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 40 }), async (entries) => {
        const clock = new VirtualClock();
        const due: [at: number, deadline: number][] = [];
        const timer = new DeadlineTimer(clock, (input: ReturnType<typeof timed>) => {
          due.push([clock.now(), input.deadlineAt]);
        });
        const inputs = entries.map(({ deadlineAt }) => timed(deadlineAt));
        for (const input of inputs) timer.add(input);
        entries.forEach(({ removed }, i) => {
          const input = inputs[i];
          if (removed && input !== undefined) timer.remove(input);
        });
        await clock.advance(100);
        const kept = entries.filter(({ removed }) => !removed).map(({ deadlineAt }) => deadlineAt);
        assert.deepEqual(
          due,
          kept.sort((a, b) => a - b).map((deadlineAt) => [deadlineAt, deadlineAt]),
        );
        assert.equal(timer.size, 0);
      }),
      { numRuns: 50 },
    );
  });

  test('starts one timer for many inputs, and none for inputs without a deadline', () => {
    const clock = new VirtualClock();
    const timer = new DeadlineTimer(clock, () => undefined);
    timer.add(timed(Number.POSITIVE_INFINITY));
    assert.equal(clock.pendingTimers, 0);
    for (let i = 0; i < 100; i++) timer.add(timed(1_000 - i));
    assert.equal(clock.pendingTimers, 1);
    timer.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  test('takes an input again that comes back with a later deadline', async () => {
    const clock = new VirtualClock();
    const due: number[] = [];
    const timer = new DeadlineTimer(clock, (input: ReturnType<typeof timed>) => {
      due.push(clock.now());
      if (input.deadlineAt < 30) {
        input.deadlineAt += 10;
        timer.add(input);
      }
    });
    timer.add(timed(10));
    await clock.advance(100);
    assert.deepEqual(due, [10, 20, 30]);
  });
});
