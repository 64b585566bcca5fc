import type { HrTime } from '@opentelemetry/api';

/** The clocks of the process and of the machine may differ by this much before the first follows the second. */
const maxDriftMs = 5;

/** The time of day that performance.now() stands for: spans are dated by it, so that those of one call fit together. */
export class EpochClock {
  #originMs: number;
  readonly #wallClock: () => number;

  /** @param wallClock Date.now() */
  constructor(wallClock: () => number = Date.now) {
    this.#wallClock = wallClock;
    this.#originMs = wallClock() - performance.now();
  }

  /** Takes over the wall clock's time if the two have drifted apart: it may have been set, or the machine been asleep. */
  adjust(): void {
    const originMs = this.#wallClock() - performance.now();
    if (Math.abs(originMs - this.#originMs) > maxDriftMs) this.#originMs = originMs;
  }

  /** @param at performance.now() milliseconds */
  timeOf(at: number): HrTime {
    const ms = this.#originMs + at;
    const seconds = Math.floor(ms / 1000);
    return [seconds, Math.round((ms - seconds * 1000) * 1e6) % 1e9];
  }
}
