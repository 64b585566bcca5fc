import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../../../bench/inputs/random.js';
import { zipfSampler } from '../../../../bench/inputs/zipf.js';

function frequencies(n: number, s: number, draws: number): number[] {
  const sample = zipfSampler(n, s, seededRandom(7));
  const counts = new Array<number>(n).fill(0);
  for (let i = 0; i < draws; i++) {
    const rank = sample();
    counts[rank] = (counts[rank] ?? 0) + 1;
  }
  return counts.map((count) => count / draws);
}

describe('the Zipf sampler', () => {
  it('draws rank k in proportion to 1 / (k + 1)', () => {
    const [first = 0, second = 0, , fourth = 0] = frequencies(100, 1, 200_000);
    // The harmonic number of 100 is 5.187.
    assert.ok(Math.abs(first - 1 / 5.187) < 0.005, String(first));
    assert.ok(Math.abs(first / second - 2) < 0.1, String(first / second));
    assert.ok(Math.abs(first / fourth - 4) < 0.25, String(first / fourth));
  });

  it('is uniform for s = 0', () => {
    for (const share of frequencies(10, 0, 100_000)) assert.ok(Math.abs(share - 0.1) < 0.01);
  });

  it('stays within the ranks, the extremes of the random numbers included', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 2, noNaN: true }), (n, s) => {
        assert.equal(zipfSampler(n, s, () => 0)(), 0);
        assert.equal(zipfSampler(n, s, () => 1 - 2 ** -32)() < n, true);
      }),
    );
  });

  it('draws the same with the same seed', () => {
    const draw = () => Array.from({ length: 20 }, zipfSampler(1000, 1, seededRandom(3)));
    assert.deepEqual(draw(), draw());
  });
});
