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

/** The kind of attempt: a service may accept one kind and refuse the other. */
export type Attempt = 'read' | 'write';

/** Issued for each attempt, and returned with its outcome. */
export type Pass = number;

/**
 * Keeps callers from waiting for a service that does not answer. Closed: all attempts pass. Open: none pass until the
 * back-off is over. Then half open: one passes, and its outcome decides.
 *
 * Attempts that run together fail together: a short stall under a hundred reads is one failure, not a hundred. So a
 * failure counts only if its attempt began after the last failure that counted.
 *
 * A service that says that it does not serve opens the breaker at once, and only an attempt of the refused kind closes
 * it again: a replica that refuses writes still answers reads, which proves nothing.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = 'closed';
  #failures = 0;
  #backoffMs: number;
  #probeAt = 0;
  #refused: Attempt | undefined;
  #lastPass: Pass = 0;
  /** Ignores outcomes of passes up to this one. */
  #settledUpTo: Pass = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#backoffMs = options.initialBackoffMs;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** The kind of attempt that the service has refused since it last accepted one; undefined: none. */
  get refused(): Attempt | undefined {
    return this.#refused;
  }

  /** Whether `tryPass` would give a pass. */
  mayPass(attempt: Attempt): boolean {
    if (this.#state === 'closed') return true;
    if (this.#state === 'half_open' || this.#options.now() < this.#probeAt) return false;
    return this.#refused === undefined || this.#refused === attempt;
  }

  /** A pass for one attempt, whose outcome the caller must report; undefined: do not try. */
  tryPass(attempt: Attempt): Pass | undefined {
    if (!this.mayPass(attempt)) return undefined;
    if (this.#state === 'open') {
      this.#settledUpTo = this.#lastPass;
      this.#enter('half_open');
    }
    this.#lastPass += 1;
    return this.#lastPass;
  }

  succeeded(pass: Pass): void {
    if (pass <= this.#settledUpTo) return;
    this.#failures = 0;
    this.#refused = undefined;
    if (this.#state === 'closed') return;
    this.#backoffMs = this.#options.initialBackoffMs;
    this.#enter('closed');
  }

  failed(pass: Pass): void {
    if (pass <= this.#settledUpTo) return;
    this.#failures += 1;
    this.#settle(this.#failures >= this.#options.failureThreshold);
  }

  /** The service said that it does not serve this kind of attempt. */
  refuse(pass: Pass, attempt: Attempt): void {
    if (pass <= this.#settledUpTo) return;
    this.#refused = attempt;
    this.#settle(true);
  }

  /** The service may be back: the next attempt may probe without waiting for the rest of the back-off. */
  probeSoon(): void {
    if (this.#state === 'open') this.#probeAt = this.#options.now();
  }

  /** An attempt has failed: attempts beside it say nothing new. */
  #settle(opens: boolean): void {
    this.#settledUpTo = this.#lastPass;
    if (this.#state === 'half_open') {
      this.#backoffMs = Math.min(this.#backoffMs * 2, this.#options.maxBackoffMs);
    } else if (!opens) {
      return;
    }
    this.#probeAt = this.#options.now() + this.#backoffMs;
    this.#enter('open');
  }

  #enter(state: BreakerState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }
}
