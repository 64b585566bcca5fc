import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marginalMs, predictRunMs } from '../../../src/cost/cost-curve.js';

test('a run costs its base, its padded tokens, and its items times the square of the longest', () => {
  const curve = { baseMs: 2, msPerToken: 0.5, msPerTokenSquared: 0.01 };
  assert.equal(predictRunMs(curve, 3, 10), 2 + 0.5 * 30 + 0.01 * 3 * 100);
  assert.equal(predictRunMs(curve, 4, 10) - predictRunMs(curve, 3, 10), marginalMs(curve, 10));
});
