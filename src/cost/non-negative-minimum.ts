/** A column of three numbers, and three rows of them. */
export type Vector = readonly [number, number, number];
export type Matrix = readonly [Vector, Vector, Vector];

/** Rounding leaves less than this of a column that depends on the others. */
const LEAST_PIVOT = 1e-9;

/** The seven ways to keep some of three variables, all of them first. */
const SUBSETS: readonly (readonly number[])[] = [[0, 1, 2], [0, 1], [0, 2], [1, 2], [0], [1], [2]];

/**
 * Minimises x'Ax - 2b'x over the x without a negative component; A is symmetric and positive definite. The minimum is
 * the stationary point of one of the seven subsets of variables, with the others 0: of those without a negative
 * component, the one with the smallest value. If the point of all three variables qualifies, it is the minimum.
 */
export function nonNegativeMinimum(a: Matrix, b: Vector): Vector {
  let best: Vector = [0, 0, 0];
  let least = 0;
  for (const subset of SUBSETS) {
    const x = stationaryPoint(a, b, subset);
    if (x === undefined || x[0] < 0 || x[1] < 0 || x[2] < 0) continue;
    if (subset.length === 3) return x;
    // At a stationary point x'Ax = b'x.
    const value = -(b[0] * x[0] + b[1] * x[1] + b[2] * x[2]);
    if (value < least) {
      least = value;
      best = x;
    }
  }
  return best;
}

/** Solves Ax = b over some of the variables by Gaussian elimination; undefined if the matrix is singular. */
function stationaryPoint(a: Matrix, b: Vector, subset: readonly number[]): Vector | undefined {
  const rows = subset.map((i) => [...subset.map((j) => a[i]?.[j] ?? 0), b[i] ?? 0]);
  const size = subset.length;
  // A positive definite matrix needs no pivoting.
  for (let column = 0; column < size; column++) {
    const pivotRow = rows[column] ?? [];
    const pivot = pivotRow[column] ?? 0;
    if (!(pivot > LEAST_PIVOT)) return undefined;
    for (let row = 0; row < size; row++) {
      const current = rows[row];
      if (row === column || current === undefined) continue;
      const factor = (current[column] ?? 0) / pivot;
      for (let k = column; k <= size; k++) current[k] = (current[k] ?? 0) - factor * (pivotRow[k] ?? 0);
    }
  }
  const x: [number, number, number] = [0, 0, 0];
  subset.forEach((variable, i) => {
    x[variable] = (rows[i]?.[size] ?? 0) / (rows[i]?.[i] ?? 1);
  });
  return x;
}
