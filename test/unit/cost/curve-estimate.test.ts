import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type CostCurve, predictRunMs } from '../../../src/cost/cost-curve.js';
import { CurveEstimate } from '../../../src/cost/curve-estimate.js';
import { normal, seededRandom } from '../../../src/simulation/random.js';

const prior: CostCurve = { baseMs: 4, msPerToken: 0.5, msPerTokenSquared: 0.0005 };
const SHAPES = [
  [1, 8],
  [1, 120],
  [12, 24],
  [30, 16],
  [4, 100],
  [2, 40],
] as const;

/** Runs of changing shapes that cost what `truth` says, give or take. */
function learn(estimate: CurveEstimate, truth: CostCurve, batches: number, noise = 0): void {
  const random = seededRandom(5);
  for (let i = 0; i < batches; i++) {
    const [items, tokens] = SHAPES[i % SHAPES.length] ?? [1, 8];
    estimate.observe(items, tokens, predictRunMs(truth, items, tokens) * Math.exp(noise * normal(random)));
  }
}

function worstError(curve: CostCurve, truth: CostCurve): number {
  return Math.max(
    ...SHAPES.map(([items, tokens]) =>
      Math.abs(predictRunMs(curve, items, tokens) / predictRunMs(truth, items, tokens) - 1),
    ),
  );
}

describe('the estimate of the cost curve', () => {
  test('is the calibrated curve until batches say otherwise', () => {
    assert.deepEqual(new CurveEstimate(prior, 512).curve, prior);
  });

  test('finds each of the three terms when batches differ in shape', () => {
    const truth = { baseMs: 9, msPerToken: 0.4, msPerTokenSquared: 0.002 };
    const estimate = new CurveEstimate(prior, 512);
    learn(estimate, truth, 400);
    assert.ok(worstError(estimate.curve, truth) < 0.03, JSON.stringify(estimate.curve));
    assert.ok(Math.abs(estimate.curve.baseMs - 9) < 0.5, JSON.stringify(estimate.curve));
  });

  test('finds a base and a squared term that calibration did not', () => {
    const truth = { baseMs: 6, msPerToken: 0.5, msPerTokenSquared: 0.002 };
    const estimate = new CurveEstimate({ baseMs: 0, msPerToken: 0.5, msPerTokenSquared: 0 }, 512);
    learn(estimate, truth, 400);
    assert.ok(worstError(estimate.curve, truth) < 0.1, JSON.stringify(estimate.curve));
  });

  test('keeps the proportions of the calibrated curve when all batches look alike, however long', () => {
    const estimate = new CurveEstimate(prior, 512);
    const expectedMs = predictRunMs(prior, 12, 24) * 2;
    const random = seededRandom(3);
    for (let i = 0; i < 20_000; i++) estimate.observe(12, 24, expectedMs * Math.exp(0.1 * normal(random)));
    const { baseMs, msPerToken, msPerTokenSquared } = estimate.curve;
    for (const ratio of [baseMs / 4, msPerToken / 0.5, msPerTokenSquared / 0.0005]) {
      assert.ok(ratio > 1.8 && ratio < 2.2, JSON.stringify(estimate.curve));
    }
  });

  test('follows a machine that becomes three times slower, within two hundred batches', () => {
    const estimate = new CurveEstimate(prior, 512);
    learn(estimate, prior, 500, 0.1);
    const slow = { baseMs: 12, msPerToken: 1.5, msPerTokenSquared: 0.0015 };
    learn(estimate, slow, 200, 0.1);
    assert.ok(worstError(estimate.curve, slow) < 0.15, JSON.stringify(estimate.curve));
  });

  test('lets one stalled run move predictions by no more than a fifth', () => {
    const estimate = new CurveEstimate(prior, 512);
    learn(estimate, prior, 100);
    estimate.observe(12, 24, 1_000_000);
    assert.ok(worstError(estimate.curve, prior) < 0.2, JSON.stringify(estimate.curve));
  });

  test('never has a negative or infinite coefficient, whatever runs take', () => {
    const runs = fc.array(
      fc.record({
        items: fc.integer({ min: 1, max: 256 }),
        tokens: fc.integer({ min: 1, max: 512 }),
        runMs: fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      }),
      { minLength: 1, maxLength: 200 },
    );
    fc.assert(
      fc.property(runs, (observed) => {
        const estimate = new CurveEstimate(prior, 512);
        for (const { items, tokens, runMs } of observed) estimate.observe(items, tokens, runMs);
        const { baseMs, msPerToken, msPerTokenSquared } = estimate.curve;
        for (const value of [baseMs, msPerToken, msPerTokenSquared]) {
          assert.ok(value >= 0 && Number.isFinite(value), JSON.stringify(estimate.curve));
        }
        assert.ok(predictRunMs(estimate.curve, 1, 8) > 0);
      }),
      { numRuns: 200 },
    );
  });
});
