import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { drift, median, quantile, ratios } from '../../../bench/statistics.js';

const numbers = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 });

describe('quantile', () => {
  it('interpolates between neighbours, whatever the order', () => {
    assert.equal(quantile([40, 10, 30, 20], 0.5), 25);
    assert.equal(quantile([40, 10, 30, 20], 0.25), 17.5);
    assert.equal(quantile(Float64Array.of(3, 1, 2), 1), 3);
  });

  it('is NaN for no values', () => {
    assert.equal(quantile([], 0.5), Number.NaN);
  });

  it('lies between the extremes and grows with q', () => {
    fc.assert(
      fc.property(numbers, fc.double({ noNaN: true, min: 0, max: 1 }), (values, q) => {
        const value = quantile(values, q);
        assert.ok(value >= Math.min(...values) && value <= Math.max(...values));
        assert.ok(value <= quantile(values, Math.min(1, q + 0.1)));
      }),
    );
  });

  it('leaves the values in their order', () => {
    const values = [3, 1, 2];
    median(values);
    assert.deepEqual(values, [3, 1, 2]);
  });
});

describe('ratios and drift', () => {
  it('divide value by value', () => {
    assert.deepEqual(ratios([10, 30], [5, 10]), [2, 3]);
  });

  it('give NaN where there is no reference', () => {
    assert.deepEqual(ratios([10], []), [Number.NaN]);
  });

  it('drift is how often the smallest value goes into the largest', () => {
    assert.equal(drift([2, 3, 6]), 3);
  });
});
