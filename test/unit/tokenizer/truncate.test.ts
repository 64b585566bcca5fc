import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keptOfPair } from '../../../src/tokenizer/truncate.js';

/** One token at a time from the longer text; of two equally long ones, from the first. */
function oneByOne(first: number, second: number, budget: number): [number, number] {
  let [a, b] = [first, second];
  while (a + b > budget) {
    if (a > b || (a === b && first <= second)) a--;
    else b--;
  }
  return [a, b];
}

describe('what a pair keeps', () => {
  const length = fc.integer({ min: 0, max: 60 });

  it('is what remains when tokens are taken from the longer text one by one', () => {
    fc.assert(
      fc.property(length, length, length, (first, second, budget) => {
        assert.deepEqual(keptOfPair(first, second, budget), oneByOne(first, second, budget));
      }),
      { numRuns: 2000 },
    );
  });
});
