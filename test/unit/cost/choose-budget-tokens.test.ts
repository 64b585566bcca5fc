import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseBudgetTokens } from '../../../src/cost/choose-budget-tokens.js';
import { type CostCurve, predictRunMs } from '../../../src/cost/cost-curve.js';

const choice = { typicalTokens: 32, minTokens: 64, maxTokens: 16_384 };
const curve: CostCurve = { baseMs: 2, msPerToken: 0.1, msPerTokenSquared: 0 };

function throughput(budgetTokens: number): number {
  return budgetTokens / predictRunMs(curve, budgetTokens / choice.typicalTokens, choice.typicalTokens);
}

function samplesOf(counts: readonly number[], runMs: (items: number) => number) {
  return counts.map((items) => ({ items, tokens: 32, runMs: runMs(items) }));
}

describe('the choice of the token budget', () => {
  test('extrapolates to the smallest budget within the tolerance of the best, while throughput still rises', () => {
    const samples = samplesOf([1, 4, 8], (items) => predictRunMs(curve, items, 32));
    const budget = chooseBudgetTokens(curve, samples, choice);
    assert.ok(throughput(budget) >= 0.95 * throughput(choice.maxTokens));
    assert.ok(throughput(budget - 2) < 0.95 * throughput(choice.maxTokens));
  });

  test('takes the smallest measured size near the best, where throughput was seen to fall', () => {
    const runMs: Record<number, number> = { 1: 5, 4: 12, 8: 21, 16: 40, 32: 100 };
    const samples = samplesOf([1, 4, 8, 16, 32], (items) => runMs[items] ?? 0);
    assert.equal(chooseBudgetTokens(curve, samples, choice), 8 * 32);
    assert.equal(chooseBudgetTokens(curve, samples, { ...choice, tolerance: 0.01 }), 16 * 32);
  });

  test('goes by the measured length nearest to the typical one', () => {
    const near = samplesOf([1, 4, 8, 16], (items) => ({ 1: 5, 4: 12, 8: 21, 16: 60 })[items] ?? 0);
    const far = [1, 2, 4].map((items) => ({ items, tokens: 512, runMs: items * 80 }));
    assert.equal(chooseBudgetTokens(curve, [...far, ...near], choice), 8 * 32);
  });

  test('stays between the least and the most that is allowed', () => {
    const steep: CostCurve = { baseMs: 1_000, msPerToken: 0.001, msPerTokenSquared: 0 };
    const flat: CostCurve = { baseMs: 0, msPerToken: 1, msPerTokenSquared: 0 };
    assert.equal(chooseBudgetTokens(flat, [], choice), choice.minTokens);
    const most = chooseBudgetTokens(steep, [], choice);
    assert.ok(most <= choice.maxTokens && most > 0.9 * choice.maxTokens);
  });
});
