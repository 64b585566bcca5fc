import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EpochClock } from '../../../src/tracing/epoch-clock.js';

const minuteMs = 60_000;

describe('the clock of spans', () => {
  it('tells the time of day of a moment, as whole seconds and nanoseconds', () => {
    const started = performance.now();
    const clock = new EpochClock(() => 1_800_000_000_000 + performance.now() - started);
    const [seconds, nanos] = clock.timeOf(started + 1_250.5);
    assert.equal(seconds, 1_800_000_001);
    // To a microsecond: so many digits has a time of day in milliseconds.
    assert.ok(Math.abs(nanos - 250_500_000) < 1_000_000, String(nanos));
    assert.ok(Number.isInteger(nanos));
  });

  it('follows the wall clock when that is set, and not when it trembles', () => {
    let aheadMs = 0;
    const clock = new EpochClock(() => 1_800_000_000_000 + performance.now() + aheadMs);
    const first = clock.timeOf(0);
    aheadMs = 2;
    clock.adjust();
    assert.deepEqual(clock.timeOf(0), first);
    aheadMs = minuteMs;
    clock.adjust();
    assert.ok(Math.abs(clock.timeOf(0)[0] - first[0] - 60) <= 1);
  });
});
