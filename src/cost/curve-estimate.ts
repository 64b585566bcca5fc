import { type CostCurve, predictRunMs } from './cost-curve.js';
import { nonNegativeMinimum, type Vector } from './non-negative-minimum.js';

/** The part of a batch's weight that remains after each later batch: about the last thirty count. */
const FORGETTING = 0.97;

/** The calibrated curve counts as much as this many batches at first, and is forgotten like them. */
const PRIOR_BATCHES = 20;

/** How firmly the estimate keeps the shape of the calibrated curve, in batches; it does not keep its scale. */
const SHAPE_BATCHES = 0.05;

/**
 * One batch counts as at most this much more, or less, than expected: a stall of the machine is not a property of the
 * model.
 */
const LARGEST_SURPRISE = 3;

/** A term that calibration did not find is estimated on the scale of this share of a full batch's cost. */
const LEAST_SHARE = 1 / 40;

/** Length at which that share is taken of the squared term. */
const USUAL_TOKENS = 32;

/**
 * The cost curve that live batches show: recursive least squares with exponential forgetting over its three
 * coefficients, with errors relative to the expected cost of the run (L. Ljung, T. Söderström, "Theory and Practice of
 * Recursive Identification", 1983; it keeps the sums of the normal equations rather than their inverse).
 *
 * Plain forgetting would lose what batches do not show: if all look alike, they show only one number, and the
 * coefficients would drift. So part of the prior knowledge is never forgotten (R. Kulhavy, M. B. Zarrop, "On a general
 * concept of forgetting", 1993), namely the shape of the calibrated curve: of all curves that fit the batches equally
 * well, it takes the one closest to a multiple of the calibrated curve. Batches that all look alike change only the
 * scale.
 *
 * No coefficient is negative, and a stalled run counts no more than `LARGEST_SURPRISE`.
 */
export class CurveEstimate {
  /** Units for the estimate that give the coefficients the same magnitude. */
  readonly #scale: Vector;
  /** Direction of the calibrated coefficients in these units, of length 1. */
  readonly #direction: Vector;
  /** The sums of the normal equations; the matrix by rows, symmetric. */
  readonly #matrix = new Float64Array(9);
  readonly #right = new Float64Array(3);
  #curve: CostCurve;

  constructor(prior: CostCurve, budgetTokens: number) {
    const fullMs = predictRunMs(prior, budgetTokens / USUAL_TOKENS, USUAL_TOKENS);
    const leastMs = fullMs * LEAST_SHARE || 1;
    this.#scale = [
      Math.max(prior.baseMs, leastMs),
      Math.max(prior.msPerToken, leastMs / budgetTokens),
      Math.max(prior.msPerTokenSquared, leastMs / (budgetTokens * USUAL_TOKENS)),
    ];
    const start = this.#scaled(prior);
    const length = Math.hypot(...start) || 1;
    this.#direction = [start[0] / length, start[1] / length, start[2] / length];
    this.#curve = prior;
    // The prior counts as this many runs, each with a cost of 1, along its own direction.
    const [a, b, c] = this.#direction;
    this.#add([a / length, b / length, c / length], 1, PRIOR_BATCHES);
  }

  get curve(): CostCurve {
    return this.#curve;
  }

  /** Learns from a run of `items` inputs padded to `longest` tokens. */
  observe(items: number, longest: number, runMs: number): void {
    const expectedMs = predictRunMs(this.#curve, items, longest);
    if (!(expectedMs > 0)) return;
    const surprise = Math.min(LARGEST_SURPRISE, Math.max(1 / LARGEST_SURPRISE, runMs / expectedMs));
    for (let i = 0; i < 9; i++) this.#matrix[i] = (this.#matrix[i] ?? 0) * FORGETTING;
    for (let i = 0; i < 3; i++) this.#right[i] = (this.#right[i] ?? 0) * FORGETTING;
    const [base, token, square] = this.#scale;
    const padded = items * longest;
    this.#add(
      [base / expectedMs, (token * padded) / expectedMs, (square * padded * longest) / expectedMs],
      surprise,
      1,
    );
    this.#solve();
  }

  #add(row: Vector, value: number, weight: number): void {
    for (let i = 0; i < 3; i++) {
      const weighted = weight * (row[i] ?? 0);
      for (let j = 0; j < 3; j++)
        this.#matrix[3 * i + j] = (this.#matrix[3 * i + j] ?? 0) + weighted * (row[j] ?? 0);
      this.#right[i] = (this.#right[i] ?? 0) + weighted * value;
    }
  }

  #solve(): void {
    // The larger the coefficients, the less a relative error weighs: the weight of the shape scales with them.
    const [x, y, z] = this.#scaled(this.#curve);
    const hold = SHAPE_BATCHES / (x * x + y * y + z * z || 1);
    const d = this.#direction;
    const cell = (i: 0 | 1 | 2, j: 0 | 1 | 2): number =>
      (this.#matrix[3 * i + j] ?? 0) + hold * ((i === j ? 1 : 0) - d[i] * d[j]);
    const row = (i: 0 | 1 | 2): Vector => [cell(i, 0), cell(i, 1), cell(i, 2)];
    const right: Vector = [this.#right[0] ?? 0, this.#right[1] ?? 0, this.#right[2] ?? 0];
    const [base, token, square] = nonNegativeMinimum([row(0), row(1), row(2)], right);
    const [baseMs, msPerToken, msPerTokenSquared] = this.#scale;
    this.#curve = {
      baseMs: base * baseMs,
      msPerToken: token * msPerToken,
      msPerTokenSquared: square * msPerTokenSquared,
    };
  }

  #scaled({ baseMs, msPerToken, msPerTokenSquared }: CostCurve): Vector {
    const [base, token, square] = this.#scale;
    return [baseMs / base, msPerToken / token, msPerTokenSquared / square];
  }
}
