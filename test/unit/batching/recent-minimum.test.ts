import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RecentMinimum } from '../../../src/batching/dispatch/run-cap.js';

describe('the recent minimum', () => {
  test('is infinite as long as nothing was noted', () => {
    assert.equal(new RecentMinimum(10_000).least(123), Number.POSITIVE_INFINITY);
  });

  test('remembers each value for its span, and for a tenth of it more at most', () => {
    const noted = fc.array(
      fc.record({ afterMs: fc.nat({ max: 4_000 }), value: fc.integer({ min: 1, max: 1_000 }) }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(noted, fc.nat({ max: 30_000 }), (values, laterMs) => {
        const recent = new RecentMinimum(10_000);
        let now = 0;
        const all = values.map(({ afterMs, value }) => {
          now += afterMs;
          recent.note(value, now);
          return { at: now, value };
        });
        now += laterMs;
        const since = (ms: number): number =>
          Math.min(
            Number.POSITIVE_INFINITY,
            ...all.filter(({ at }) => at > now - ms).map(({ value }) => value),
          );
        const least = recent.least(now);
        assert.ok(least <= since(10_000) && least >= since(11_000.001), `${least}`);
      }),
    );
  });
});
