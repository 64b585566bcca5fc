import type { Clock } from '../batching/clock.js';
import { type BackoffOptions, backoffMs } from '../runtime/backoff.js';

/** A model that could not be loaded is not tried again at once: its next load is likely to fail as well. */
const RETRY: BackoffOptions = { initialMs: 10_000, maxMs: 300_000, stableMs: 0 };

interface Failure {
  /** For everybody to read. */
  readonly reason: string;
  readonly tries: number;
  /** When it may be tried again, in milliseconds. */
  readonly retryAt: number;
}

/** Models whose last load has failed. */
export class LoadFailures {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failure>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get models(): Iterable<string> {
    return this.#failures.keys();
  }

  /** A load has failed, once more or for the first time. */
  add(model: string, reason: string): void {
    const tries = (this.#failures.get(model)?.tries ?? 0) + 1;
    const retryAt = this.#clock.now() + backoffMs(RETRY, tries, Math.random);
    this.#failures.set(model, { reason, tries, retryAt });
  }

  /** What there is to say of a model that may not be tried yet, and for how many milliseconds; undefined: it may. */
  waitOf(model: string): { readonly reason: string; readonly ms: number } | undefined {
    const failure = this.#failures.get(model);
    if (failure === undefined) return undefined;
    const ms = failure.retryAt - this.#clock.now();
    return ms > 0 ? { reason: failure.reason, ms } : undefined;
  }

  forget(model: string): void {
    this.#failures.delete(model);
  }
}
