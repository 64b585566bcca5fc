import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LoopClock, runOpenLoop } from '../../../bench/load/open-loop.js';

/** A clock that jumps to the next call-back; `lateBy` is how much later than asked for it wakes anybody. */
function manualClock(lateBy = 0): LoopClock & { advance(ms: number): void } {
  let now = 1_000;
  return {
    now: () => now,
    after: (delayMs, callback) => {
      setImmediate(() => {
        now += delayMs + lateBy;
        callback();
      });
    },
    advance: (ms) => {
      now += ms;
    },
  };
}

function arrivalsAt(times: readonly number[]): { next(): number } {
  let index = 0;
  return { next: () => times[index++] ?? Number.POSITIVE_INFINITY };
}

describe('runOpenLoop', () => {
  it('sends each call at its intended time, counted from the start', async () => {
    const clock = manualClock();
    const sent: [number, number, number][] = [];
    const lagsMs = await runOpenLoop({
      arrivals: arrivalsAt([2, 5, 5, 9.5]),
      durationMs: 100,
      clock,
      send: async (index, intendedAt) => {
        sent.push([index, intendedAt, clock.now()]);
      },
    });
    assert.deepEqual(sent, [
      [0, 1_002, 1_002],
      [1, 1_005, 1_005],
      [2, 1_005, 1_005],
      [3, 1_009.5, 1_009.5],
    ]);
    assert.deepEqual(lagsMs, [0, 0, 0, 0]);
  });

  it('sends on while earlier calls are unanswered, and waits for them at the end', async () => {
    const answers: (() => void)[] = [];
    let ended = false;
    const loop = runOpenLoop({
      arrivals: arrivalsAt([1, 2, 3]),
      durationMs: 10,
      clock: manualClock(),
      send: () => new Promise((resolve) => answers.push(resolve)),
    }).then(() => {
      ended = true;
    });
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(answers.length, 3);
    assert.equal(ended, false);
    for (const answer of answers) answer();
    await loop;
    assert.equal(ended, true);
  });

  it('sends what fell due while it was held up, and tells how late each call left', async () => {
    const clock = manualClock();
    const intended: number[] = [];
    const lagsMs = await runOpenLoop({
      arrivals: arrivalsAt([10, 20, 30, 200]),
      durationMs: 300,
      clock,
      send: async (_index, intendedAt) => {
        intended.push(intendedAt - 1_000);
        if (intended.length === 1) clock.advance(50);
      },
    });
    assert.deepEqual(intended, [10, 20, 30, 200]);
    assert.deepEqual(lagsMs, [0, 40, 30, 0]);
  });

  it('counts a latency from the intended time, so that a late wake-up is in it', async () => {
    const clock = manualClock(7);
    const latencies: number[] = [];
    await runOpenLoop({
      arrivals: arrivalsAt([10]),
      durationMs: 100,
      clock,
      send: async (_index, intendedAt) => {
        clock.advance(3);
        latencies.push(clock.now() - intendedAt);
      },
    });
    assert.deepEqual(latencies, [10]);
  });

  it('sends nothing that is intended for a time beyond the end', async () => {
    let calls = 0;
    const lagsMs = await runOpenLoop({
      arrivals: arrivalsAt([10, 100.1]),
      durationMs: 100,
      clock: manualClock(),
      send: async () => {
        calls++;
      },
    });
    assert.equal(calls, 1);
    assert.equal(lagsMs.length, 1);
  });
});
