import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EffectiveBudget } from '../../../src/cost/effective-budget.js';

describe('the effective budget', () => {
  test('is the configured one as long as the memory holds', () => {
    assert.equal(new EffectiveBudget(512).tokens(123), 512);
  });

  test('falls to half of what did not fit, and recovers in a straight line over ten minutes', () => {
    const budget = new EffectiveBudget(512);
    budget.lower(400, 0);
    assert.equal(budget.tokens(0), 200);
    assert.equal(budget.tokens(300_000), 356);
    assert.equal(budget.tokens(600_000), 512);
  });

  test('falls further with the next batch that does not fit, and never rises by one', () => {
    const budget = new EffectiveBudget(512);
    budget.lower(400, 0);
    budget.lower(200, 0);
    assert.equal(budget.tokens(0), 100);
    budget.lower(500, 0);
    assert.equal(budget.tokens(0), 100);
  });

  test('stays at least one token', () => {
    const budget = new EffectiveBudget(512);
    budget.lower(1, 0);
    assert.equal(budget.tokens(0), 1);
  });
});
