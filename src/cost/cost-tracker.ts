import { type CostCurve, predictRunMs } from './cost-curve.js';
import { CurveEstimate } from './curve-estimate.js';
import type { LoadFacts } from './load.js';

/** How fast a new batch changes the padding: about the last twenty count. */
const PADDING_WEIGHT = 0.1;

/** Padding to assume until batches show theirs. */
const FIRST_PADDING = 1.1;

/**
 * The cost of runs, kept current by live batches. Without a calibrated curve it assumes only a shape (a base worth a
 * twentieth of the budget, which is what the knee of the curve means), and the first batch sets the scale.
 */
export class CostTracker {
  /** Whether the curve was measured beforehand, so that predictions may refuse a request. */
  readonly calibrated: boolean;
  readonly #budgetTokens: number;
  #estimate: CurveEstimate;
  #padding = FIRST_PADDING;
  #observed = false;

  constructor(curve: CostCurve | undefined, budgetTokens: number) {
    this.calibrated = curve !== undefined;
    this.#budgetTokens = budgetTokens;
    const assumed = { baseMs: budgetTokens / 20, msPerToken: 1, msPerTokenSquared: 0 };
    this.#estimate = new CurveEstimate(curve ?? assumed, budgetTokens);
  }

  /** Whether predictions are in milliseconds yet. */
  get known(): boolean {
    return this.calibrated || this.#observed;
  }

  /** The curve that recent live batches show. */
  get curve(): CostCurve {
    return this.#estimate.curve;
  }

  /** Padded over real tokens in recent batches. */
  get padding(): number {
    return this.#padding;
  }

  predictMs(items: number, longest: number): number {
    return predictRunMs(this.curve, items, longest);
  }

  /** The cost that inputs add to their runs, with recent padding but without bases. */
  loadMs({ tokens, squares }: LoadFacts): number {
    const { msPerToken, msPerTokenSquared } = this.curve;
    return this.#padding * (msPerToken * tokens + msPerTokenSquared * squares);
  }

  /** Learns from a run of `items` inputs with `tokens` tokens in total, padded to `longest`. */
  observe(items: number, tokens: number, longest: number, runMs: number): void {
    const ratio = runMs / this.predictMs(items, longest);
    if (!Number.isFinite(ratio) || ratio <= 0 || tokens <= 0) return;
    if (this.known) {
      this.#estimate.observe(items, longest, runMs);
    } else {
      const { baseMs, msPerToken } = this.curve;
      const scaled = { baseMs: baseMs * ratio, msPerToken: msPerToken * ratio, msPerTokenSquared: 0 };
      this.#estimate = new CurveEstimate(scaled, this.#budgetTokens);
      this.#observed = true;
    }
    this.#padding += PADDING_WEIGHT * ((items * longest) / tokens - this.#padding);
  }
}
