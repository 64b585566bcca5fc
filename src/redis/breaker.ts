import type { BreakerState } from './types.js';

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failureThreshold: number;
  /** How long it stays open the first time, in milliseconds; each failed probe doubles that. */
  readonly initialBackoffMs: number;
  /** The longest it stays open between probes, in milliseconds. */
  readonly maxBackoffMs: number;
  /** A clock in milliseconds that never goes back. */
  readonly now: () => number;
  readonly onState?: (state: BreakerState) => void;
}

/** Given for each attempt, and handed back with its outcome. */
export type Pass = number;

/**
 * Keeps callers from waiting for a service that does not answer. Closed: all pass. Open: none until the back-off is
 * over. Then half open: one passes, and its outcome decides.
 *
 * Attempts that run side by side fail side by side: a stall of one moment under a hundred reads is one failure and
 * not a hundred. So a failure counts only if its attempt began after the last failure that counted.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = 'closed';
  #failures = 0;
  #backoffMs: number;
  #probeAt = 0;
  #lastPass: Pass = 0;
  /** Outcomes of passes up to this one say nothing new. */
  #settledUpTo: Pass = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#backoffMs = options.initialBackoffMs;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** A pass for one attempt, whose outcome must be told; undefined: do not try. */
  tryPass(): Pass | undefined {
    if (this.#state === 'half_open') return undefined;
    if (this.#state === 'open') {
      if (this.#options.now() < this.#probeAt) return undefined;
      this.#settledUpTo = this.#lastPass;
      this.#enter('half_open');
    }
    this.#lastPass += 1;
    return this.#lastPass;
  }

  succeeded(pass: Pass): void {
    if (pass <= this.#settledUpTo) return;
    this.#failures = 0;
    if (this.#state === 'closed') return;
    this.#backoffMs = this.#options.initialBackoffMs;
    this.#enter('closed');
  }

  failed(pass: Pass): void {
    if (pass <= this.#settledUpTo) return;
    this.#settledUpTo = this.#lastPass;
    this.#failures += 1;
    if (this.#state === 'half_open') {
      this.#backoffMs = Math.min(this.#backoffMs * 2, this.#options.maxBackoffMs);
    } else if (this.#failures < this.#options.failureThreshold) {
      return;
    }
    this.#probeAt = this.#options.now() + this.#backoffMs;
    this.#enter('open');
  }

  /** The service may be back: the next attempt may probe without waiting for the rest of the back-off. */
  probeSoon(): void {
    if (this.#state === 'open') this.#probeAt = this.#options.now();
  }

  #enter(state: BreakerState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }
}
