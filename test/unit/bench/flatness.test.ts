import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { driftPercent, medianPerPiece } from '../../../bench/memory/flatness.js';

describe('medianPerPiece', () => {
  it('takes the median of the samples of each minute', () => {
    const samples = [1, 2, 30, 4, 5, 6].map((mb, index) => ({ atMs: index * 20_000, mb }));
    assert.deepEqual(medianPerPiece(samples, 60_000), [2, 5]);
  });

  it('leaves a hole for a minute without samples', () => {
    const samples = [
      { atMs: 0, mb: 1 },
      { atMs: 125_000, mb: 3 },
    ];
    assert.deepEqual(medianPerPiece(samples, 60_000), [1, Number.NaN, 3]);
  });
});

describe('driftPercent', () => {
  it('leaves the first two minutes out', () => {
    assert.equal(driftPercent([50, 90, 100, 100, 100]), 0);
  });

  it('counts growth and shrinking alike, from the lowest to the highest minute', () => {
    assert.equal(driftPercent([1, 1, 100, 104, 102]), 4);
    assert.equal(driftPercent([1, 1, 104, 102, 100]), 4);
  });

  it('is no number where there is nothing to compare, so that too short a soak reaches no bar', () => {
    assert.ok(Number.isNaN(driftPercent([100, 100, 100])));
    assert.ok(Number.isNaN(driftPercent([])));
  });
});
