import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type CostCurve, predictRunMs } from '../../../src/cost/cost-curve.js';
import { fitCostCurve } from '../../../src/cost/fit-cost-curve.js';

const SHAPES = [
  [1, 8],
  [1, 32],
  [4, 16],
  [1, 128],
  [8, 32],
  [16, 32],
  [8, 64],
  [4, 128],
] as const;

function samplesOf(curve: CostCurve, noise: (i: number) => number = () => 1) {
  return SHAPES.map(([items, tokens], i) => ({
    items,
    tokens,
    runMs: predictRunMs(curve, items, tokens) * noise(i),
  }));
}

function close(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);
}

describe('the fit of the cost curve', () => {
  test('finds the curve that exact samples came from', () => {
    const positive = fc.double({ min: 0.01, max: 10, noNaN: true });
    fc.assert(
      fc.property(positive, positive, positive, (base, linear, square) => {
        const curve = { baseMs: base, msPerToken: linear / 10, msPerTokenSquared: square / 1_000 };
        const fitted = fitCostCurve(samplesOf(curve));
        assert.ok(fitted);
        for (const [items, tokens] of SHAPES) {
          const expected = predictRunMs(curve, items, tokens);
          close(predictRunMs(fitted, items, tokens), expected, expected * 1e-6);
        }
      }),
    );
  });

  test('has no negative coefficient, however the samples lie', () => {
    const sample = fc.record({
      items: fc.integer({ min: 1, max: 64 }),
      tokens: fc.integer({ min: 1, max: 512 }),
      runMs: fc.double({ min: 0.01, max: 1_000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 12 }), (samples) => {
        const fitted = fitCostCurve(samples);
        assert.ok(fitted);
        for (const value of Object.values(fitted)) assert.ok(value >= 0 && Number.isFinite(value));
      }),
    );
  });

  test('leaves a term out rather than making it negative', () => {
    const falling = [
      { items: 1, tokens: 8, runMs: 1 },
      { items: 1, tokens: 64, runMs: 7 },
      { items: 1, tokens: 128, runMs: 13 },
      { items: 1, tokens: 256, runMs: 22 },
    ];
    const fitted = fitCostCurve(falling);
    assert.equal(fitted?.msPerTokenSquared, 0);
    assert.ok((fitted?.msPerToken ?? 0) > 0);
  });

  test('stays near the curve when the measurements are noisy', () => {
    const curve = { baseMs: 4, msPerToken: 0.5, msPerTokenSquared: 0.0005 };
    const fitted = fitCostCurve(samplesOf(curve, (i) => (i % 2 === 0 ? 1.04 : 0.97)));
    assert.ok(fitted);
    close(predictRunMs(fitted, 16, 32) / predictRunMs(curve, 16, 32), 1, 0.06);
  });

  test('makes a base of a single sample that tells nothing else apart', () => {
    const fitted = fitCostCurve([{ items: 2, tokens: 10, runMs: 5 }]);
    assert.ok(fitted);
    close(predictRunMs(fitted, 2, 10), 5, 1e-9);
  });

  test('gives nothing where nothing was measured', () => {
    assert.equal(fitCostCurve([]), undefined);
  });
});
