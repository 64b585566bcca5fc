import type { SharedClaim } from '../../claim.js';
import type { CostCurve } from '../../cost/cost-curve.js';
import type { InputFacts } from '../types.js';

/** How long the deadline of an interactive input is remembered: others like it will come. */
const MEMORY_MS = 10_000;

/**
 * A cap never makes the base more than this share of a run: one client with a deadline that cannot be met does not cost
 * everybody else the throughput. On a busy machine the base is overestimated, up to four times (live batches are much
 * alike, and what others take of the processor looks like a base), so the share that is really spent is smaller.
 */
const LARGEST_BASE_SHARE = 0.25;

/** A base below this share of a full batch's cost is not believed, as in the length policy. */
const LEAST_BASE_SHARE = 1 / 40;

export interface RunCapOptions {
  /** Longest predicted run; 0: no cap. */
  readonly maxRunMs: number;
  /** Longest predicted run, in per cent of the tightest deadline; 0: no such cap. */
  readonly maxRunPercent: number;
  readonly budgetTokens: number;
}

/**
 * How long a batch may run. A run is not interrupted, so whoever arrives during one waits for its end and is then in the
 * next one; a cap at a quarter of the time that callers allow keeps both together well within it. It would come too late
 * if it looked at the queue alone: the run that an interactive input is going to wait for has begun when it arrives. So
 * the tightest time that interactive inputs were given of late counts as well.
 */
export class RunCap {
  readonly #options: RunCapOptions;
  readonly #recent = new RecentMinimum(MEMORY_MS);

  constructor(options: RunCapOptions) {
    this.#options = options;
  }

  /** An input has arrived. */
  note({ serviceClass, deadlineAt }: Pick<SharedClaim, 'serviceClass' | 'deadlineAt'>, now: number): void {
    if (serviceClass === 'interactive' && deadlineAt > now) this.#recent.note(deadlineAt - now, now);
  }

  /** Longest predicted run of a batch out of this window, in milliseconds; Infinity: any. */
  capMs(window: readonly InputFacts[], now: number, curve: CostCurve): number {
    const { maxRunMs, maxRunPercent, budgetTokens } = this.#options;
    const most = maxRunMs > 0 ? maxRunMs : Number.POSITIVE_INFINITY;
    if (maxRunPercent === 0) return most;
    let tightestMs = this.#recent.least(now);
    for (const { deadlineAt, enqueuedAt } of window) {
      tightestMs = Math.min(tightestMs, deadlineAt - enqueuedAt);
    }
    const baseMs = Math.max(curve.baseMs, curve.msPerToken * budgetTokens * LEAST_BASE_SHARE);
    return Math.min(most, Math.max((tightestMs * maxRunPercent) / 100, baseMs / LARGEST_BASE_SHARE));
  }
}

/** A value is remembered for its span, and for one of so many parts of it more at most. */
const PARTS = 10;

/** The least of what was noted lately, in a ring of buckets: noting and asking are O(1), and nothing grows. */
export class RecentMinimum {
  readonly #bucketMs: number;
  readonly #minima: Float64Array;
  /** Which stretch of time each bucket holds, counted in buckets since the clock's zero. */
  readonly #stretches: Float64Array;

  constructor(spanMs: number) {
    this.#bucketMs = spanMs / PARTS;
    this.#minima = new Float64Array(PARTS + 1);
    this.#stretches = new Float64Array(PARTS + 1).fill(Number.NEGATIVE_INFINITY);
  }

  note(value: number, now: number): void {
    const stretch = Math.floor(now / this.#bucketMs);
    const bucket = stretch % this.#minima.length;
    if (this.#stretches[bucket] !== stretch) {
      this.#stretches[bucket] = stretch;
      this.#minima[bucket] = value;
    } else if (value < (this.#minima[bucket] ?? value)) {
      this.#minima[bucket] = value;
    }
  }

  /** Infinity where nothing was noted lately. */
  least(now: number): number {
    const oldest = Math.floor(now / this.#bucketMs) - this.#minima.length;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#minima.length; i++) {
      if ((this.#stretches[i] ?? oldest) > oldest) least = Math.min(least, this.#minima[i] ?? least);
    }
    return least;
  }
}
