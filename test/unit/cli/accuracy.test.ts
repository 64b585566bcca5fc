import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCorrect } from '../../../src/cli/accuracy.js';

const positive = { label: 'POSITIVE', score: 0.9, index: 1 };
const fiveStars = { label: '5', score: 0.9, index: 4 };

for (const [expected, best, correct] of [
  ['1', positive, true],
  ['0', positive, false],
  [' 1 ', positive, true],
  ['positive', positive, true],
  ['Negative', positive, false],
  ['5', fiveStars, true],
  ['4', fiveStars, false],
  ['1', undefined, false],
] as const) {
  test(`"${expected}" ${correct ? 'is' : 'is not'} ${best?.label ?? 'no prediction'} at ${best?.index}`, () => {
    assert.equal(isCorrect(expected, best), correct);
  });
}
