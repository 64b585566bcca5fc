import type { CostCurve, CostSample } from './cost-curve.js';
import { type Matrix, nonNegativeMinimum, type Vector } from './non-negative-minimum.js';

/**
 * Fits the curve to measured runs by least squares with no negative coefficient. Errors count relative to their run, so
 * that short runs, which show the base, weigh as much as long ones.
 *
 * @returns undefined if there is no sample to fit
 */
export function fitCostCurve(samples: readonly CostSample[]): CostCurve | undefined {
  const rows = samples
    .filter((sample) => sample.runMs > 0)
    .map(
      ({ items, tokens, runMs }): Vector => [
        1 / runMs,
        (items * tokens) / runMs,
        (items * tokens ** 2) / runMs,
      ],
    );
  if (rows.length === 0) return undefined;
  // Columns of very different size cost the normal equations precision: scale each to length 1 first.
  const scales = vectorOf((term) => Math.hypot(...rows.map((row) => row[term])) || 1);
  const matrix: Matrix = [rowOf(0), rowOf(1), rowOf(2)];
  const right = vectorOf((a) => sum(rows, (row) => row[a]) / scales[a]);
  const [base, token, square] = nonNegativeMinimum(matrix, right);
  const [baseMs, msPerToken, msPerTokenSquared] = scales;
  return {
    baseMs: base / baseMs,
    msPerToken: token / msPerToken,
    msPerTokenSquared: square / msPerTokenSquared,
  };

  function rowOf(a: 0 | 1 | 2): Vector {
    return vectorOf((b) => sum(rows, (row) => row[a] * row[b]) / scales[a] / scales[b]);
  }
}

function vectorOf(of: (index: 0 | 1 | 2) => number): Vector {
  return [of(0), of(1), of(2)];
}

function sum(rows: readonly Vector[], of: (row: Vector) => number): number {
  return rows.reduce((total, row) => total + of(row), 0);
}
