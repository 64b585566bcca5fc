import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CostTracker } from '../../../src/cost/cost-tracker.js';

const curve = { baseMs: 2, msPerToken: 0.1, msPerTokenSquared: 0 };

describe('the cost tracker', () => {
  test('predicts by the calibrated curve until batches say otherwise', () => {
    const costs = new CostTracker(curve, 512);
    assert.equal(costs.calibrated, true);
    assert.equal(costs.known, true);
    assert.equal(costs.predictMs(4, 20), 10);
  });

  test('moves towards what live batches take', () => {
    const costs = new CostTracker(curve, 512);
    for (let i = 0; i < 400; i++) costs.observe(4, 80, 20, 15);
    assert.ok(Math.abs(costs.predictMs(4, 20) - 15) < 0.1);
    assert.ok(Math.abs(costs.curve.baseMs - 3) < 0.1);
  });

  test('lets a single stalled run move it by less than its weight', () => {
    const costs = new CostTracker(curve, 512);
    costs.observe(4, 80, 20, 100_000);
    assert.ok(costs.predictMs(4, 20) < 20);
  });

  test('without a curve takes its scale from the first batch and never counts as calibrated', () => {
    const costs = new CostTracker(undefined, 512);
    assert.equal(costs.known, false);
    costs.observe(4, 80, 20, 15);
    assert.equal(costs.known, true);
    assert.equal(costs.calibrated, false);
    assert.ok(Math.abs(costs.predictMs(4, 20) - 15) < 1e-9);
  });

  test('learns how much padding batches have', () => {
    const costs = new CostTracker(curve, 512);
    for (let i = 0; i < 100; i++) costs.observe(10, 200, 25, 10);
    assert.ok(Math.abs(costs.padding - 1.25) < 0.01);
  });

  test('tells what a load of items costs besides the bases, with the padding of late', () => {
    const costs = new CostTracker({ ...curve, msPerTokenSquared: 0.01 }, 512);
    assert.ok(Math.abs(costs.loadMs({ items: 2, tokens: 30, squares: 500 }) - 1.1 * (3 + 5)) < 1e-9);
  });
});
