import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../../bench/inputs/random.js';
import { PoissonArrivals } from '../../../bench/load/poisson-arrivals.js';

function gaps(ratePerSecond: number, seed: number, count: number): number[] {
  const arrivals = new PoissonArrivals(ratePerSecond, seededRandom(seed));
  let last = 0;
  return Array.from({ length: count }, () => {
    const at = arrivals.next();
    const gap = at - last;
    last = at;
    return gap;
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe('PoissonArrivals', () => {
  it('gives times that never go back, whatever the rate and the seed', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 1e5, noNaN: true }), fc.integer(), (rate, seed) => {
        assert.ok(gaps(rate, seed, 50).every((gap) => gap >= 0 && Number.isFinite(gap)));
      }),
    );
  });

  it('gives the same times for the same seed, and others for another', () => {
    assert.deepEqual(gaps(100, 7, 20), gaps(100, 7, 20));
    assert.notDeepEqual(gaps(100, 7, 20), gaps(100, 8, 20));
  });

  it('has gaps of the mean that the rate asks for, with the spread of an exponential distribution', () => {
    const values = gaps(250, 1, 20_000);
    const average = mean(values);
    const deviation = Math.sqrt(mean(values.map((value) => (value - average) ** 2)));
    assert.ok(Math.abs(average - 4) < 0.1, `mean gap ${average} ms`);
    assert.ok(Math.abs(deviation - 4) < 0.15, `standard deviation ${deviation} ms`);
    const beyondTwice = values.filter((gap) => gap > 8).length / values.length;
    assert.ok(Math.abs(beyondTwice - Math.exp(-2)) < 0.01, `${beyondTwice} beyond twice the mean`);
  });
});
