import type { CostCurve, CostSample } from './cost-model.js';

/** The seven ways to leave some of the three terms out. */
const TERM_SETS: readonly (readonly number[])[] = [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]];

/**
 * Fits the curve to measured runs by least squares with no negative coefficient. Errors count relative to the run they
 * belong to, so that the short runs, which tell the base, weigh as much as the long ones.
 *
 * With three terms the non-negative optimum is found exactly: it is the plain least-squares solution of one of the
 * seven subsets of terms, namely of those without a negative coefficient the one with the smallest residual.
 *
 * @returns undefined where there is no sample to fit
 */
export function fitCostCurve(samples: readonly CostSample[]): CostCurve | undefined {
  const rows = samples
    .filter((sample) => sample.runMs > 0)
    .map(({ items, tokens, runMs }) => [1 / runMs, (items * tokens) / runMs, (items * tokens ** 2) / runMs]);
  let best: readonly number[] | undefined;
  let smallest = Number.POSITIVE_INFINITY;
  for (const terms of TERM_SETS) {
    const solution = leastSquares(rows, terms);
    if (solution === undefined) continue;
    const residual = residualOf(rows, solution);
    // A term more must pay: without the margin, rounding would decide between equal fits.
    if (residual < smallest - 1e-12) {
      smallest = residual;
      best = solution;
    }
  }
  if (best === undefined) return undefined;
  const [baseMs = 0, msPerToken = 0, msPerTokenSquared = 0] = best;
  return { baseMs, msPerToken, msPerTokenSquared };
}

/** Minimises the squared distance of row · x to 1 over the given terms; undefined where singular or negative. */
function leastSquares(
  rows: readonly (readonly number[])[],
  terms: readonly number[],
): readonly number[] | undefined {
  // Columns of very different size make the normal equations lose their digits: each is scaled to length 1 first.
  const scales = terms.map((term) => Math.hypot(...rows.map((row) => row[term] ?? 0)));
  if (scales.includes(0)) return undefined;
  const matrix = terms.map((a, i) => [
    ...terms.map((b, j) => sum(rows, (row) => (row[a] ?? 0) * (row[b] ?? 0)) / at(scales, i) / at(scales, j)),
    sum(rows, (row) => row[a] ?? 0) / at(scales, i),
  ]);
  const scaled = solve(matrix);
  if (scaled === undefined || scaled.some((value) => value < 0)) return undefined;
  const solution = [0, 0, 0];
  terms.forEach((term, i) => {
    solution[term] = at(scaled, i) / at(scales, i);
  });
  return solution;
}

/** Gaussian elimination with pivoting on an n x (n + 1) matrix; undefined where it is singular. */
function solve(matrix: number[][]): number[] | undefined {
  const size = matrix.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(cell(matrix, row, column)) > Math.abs(cell(matrix, pivot, column))) pivot = row;
    }
    if (Math.abs(cell(matrix, pivot, column)) < 1e-9) return undefined;
    const pivotRow = matrix[pivot] ?? [];
    matrix[pivot] = matrix[column] ?? [];
    matrix[column] = pivotRow;
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = cell(matrix, row, column) / at(pivotRow, column);
      matrix[row] = (matrix[row] ?? []).map((value, k) => value - factor * at(pivotRow, k));
    }
  }
  return matrix.map((row, i) => at(row, size) / at(row, i));
}

function residualOf(rows: readonly (readonly number[])[], solution: readonly number[]): number {
  return sum(rows, (row) => (row.reduce((total, value, i) => total + value * at(solution, i), 0) - 1) ** 2);
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0;
}

function cell(matrix: readonly (readonly number[])[], row: number, column: number): number {
  return at(matrix[row] ?? [], column);
}
