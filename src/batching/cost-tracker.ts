import { type CostCurve, marginalMs, predictRunMs } from './cost-model.js';

/** How fast a new batch moves the estimates: about the last twenty count. */
const WEIGHT = 0.1;

/** A single batch says at most this much: a stall of the machine is no property of the model. */
const LARGEST_RATIO = 8;

/** Padding that is assumed until batches have shown theirs. */
const FIRST_PADDING = 1.1;

/**
 * The cost curve kept current: live batches move a correction factor by an exponentially weighted mean of measured over
 * predicted run time. Without a calibrated curve only the shape is assumed (a base worth a twentieth of the budget, which
 * is what the knee of the curve means) and the first batch sets the scale.
 */
export class CostTracker {
  /** Whether the curve was measured beforehand, so that predictions may refuse a request. */
  readonly calibrated: boolean;
  readonly #curve: CostCurve;
  #current: CostCurve;
  #factor = 1;
  #padding = FIRST_PADDING;
  #observed = false;

  constructor(curve: CostCurve | undefined, budgetTokens: number) {
    this.calibrated = curve !== undefined;
    this.#curve = curve ?? { baseMs: budgetTokens / 20, msPerToken: 1, msPerTokenSquared: 0 };
    this.#current = this.#curve;
  }

  /** Whether predictions are in milliseconds at all. */
  get known(): boolean {
    return this.calibrated || this.#observed;
  }

  /** The curve with the correction applied. */
  get curve(): CostCurve {
    return this.#current;
  }

  /** Measured over calibrated run time, of late. */
  get factor(): number {
    return this.#factor;
  }

  /** Padded over real tokens, of late. */
  get padding(): number {
    return this.#padding;
  }

  predictMs(items: number, longest: number): number {
    return predictRunMs(this.#current, items, longest);
  }

  /** An item's share of a run, without padding, base and correction: it can be summed while the correction moves. */
  plainMs(tokens: number): number {
    return marginalMs(this.#curve, tokens);
  }

  /** Learns from a run of `items` items with `tokens` tokens in all, padded to `longest`. */
  observe(items: number, tokens: number, longest: number, runMs: number): void {
    const ratio = runMs / predictRunMs(this.#curve, items, longest);
    if (!Number.isFinite(ratio) || tokens <= 0) return;
    if (this.known) {
      const bounded = Math.min(this.#factor * LARGEST_RATIO, Math.max(this.#factor / LARGEST_RATIO, ratio));
      this.#factor += WEIGHT * (bounded - this.#factor);
    } else if (ratio > 0) {
      this.#factor = ratio;
      this.#observed = true;
    }
    this.#padding += WEIGHT * ((items * longest) / tokens - this.#padding);
    this.#current = {
      baseMs: this.#curve.baseMs * this.#factor,
      msPerToken: this.#curve.msPerToken * this.#factor,
      msPerTokenSquared: this.#curve.msPerTokenSquared * this.#factor,
    };
  }
}
