import { type CostCurve, predictRunMs } from './cost-curve.js';
import { CurveEstimate } from './curve-estimate.js';
import type { LoadFacts } from './load.js';

/** How fast a new batch moves the padding: about the last twenty count. */
const PADDING_WEIGHT = 0.1;

/** Padding that is assumed until batches have shown theirs. */
const FIRST_PADDING = 1.1;

/**
 * What runs cost, kept current by live batches. Without a calibrated curve only a shape is assumed (a base worth a
 * twentieth of the budget, which is what the knee of the curve means) and the first batch sets the scale.
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

  /** Whether predictions are in milliseconds at all. */
  get known(): boolean {
    return this.calibrated || this.#observed;
  }

  /** The curve as live batches have it of late. */
  get curve(): CostCurve {
    return this.#estimate.curve;
  }

  /** Padded over real tokens, of late. */
  get padding(): number {
    return this.#padding;
  }

  predictMs(items: number, longest: number): number {
    return predictRunMs(this.curve, items, longest);
  }

  /** What items add to the runs that they are in, padding as of late included, bases left out. */
  loadMs({ tokens, squares }: LoadFacts): number {
    const { msPerToken, msPerTokenSquared } = this.curve;
    return this.#padding * (msPerToken * tokens + msPerTokenSquared * squares);
  }

  /** Learns from a run of `items` items with `tokens` tokens in all, padded to `longest`. */
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
