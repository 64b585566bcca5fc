import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deviationPercent, growthPercent, medianPerPiece } from '../../../bench/memory/flatness.js';

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

describe('deviationPercent', () => {
  it('leaves the first two minutes out', () => {
    assert.equal(deviationPercent([50, 90, 100, 100, 100]), 0);
  });

  it('is that of the minute that lies furthest from the level, above or below', () => {
    assert.equal(deviationPercent([1, 1, 100, 104, 100, 99]), 4);
    assert.equal(deviationPercent([1, 1, 100, 101, 75, 100]), 25);
  });

  it('is no number where there is nothing to compare, so that too short a soak reaches no bar', () => {
    assert.ok(Number.isNaN(deviationPercent([100, 100, 100])));
    assert.ok(Number.isNaN(deviationPercent([])));
  });
});

describe('growthPercent', () => {
  it('is the rise of a steady growth from the first settled minute to the last', () => {
    assert.ok(Math.abs(growthPercent([7, 7, 100, 102, 104, 106]) - 6) < 1e-9);
    assert.ok(Math.abs(growthPercent([7, 7, 110, 105, 100]) + (10 / 110) * 100) < 1e-9);
  });

  it('is nothing for memory that goes up and comes down again', () => {
    assert.ok(Math.abs(growthPercent([7, 7, 100, 120, 100])) < 1e-9);
  });

  it('is no number where there is nothing to compare', () => {
    assert.ok(Number.isNaN(growthPercent([100, 100, 100])));
  });
});
