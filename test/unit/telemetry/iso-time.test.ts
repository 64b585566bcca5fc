import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isoTime } from '../../../src/telemetry/iso-time.js';

describe('the time of a log line', () => {
  it('is what a date says, whichever way the clock jumps', () => {
    const time = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
    const steps = fc.array(fc.integer({ min: -2500, max: 2500 }), { maxLength: 50 });
    fc.assert(
      fc.property(time, steps, (start, deltas) => {
        let now = start;
        const format = isoTime(() => now);
        for (const delta of deltas) {
          now = Math.max(0, now + delta);
          assert.equal(format(), `,"time":"${new Date(now).toISOString()}"`);
        }
      }),
    );
  });
});
