import { maxTimerMs } from '../concurrency/max-timer.js';

/** Time and scheduling, so that tests turn them by hand. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once after `delayMs`; returns the way to call it off. */
  startTimer(callback: () => void, delayMs: number): () => void;
  /** Calls back once this turn of the event loop has taken in what had arrived. */
  defer(callback: () => void): void;
}

/** The process's own clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  startTimer(callback, delayMs) {
    const timer = setTimeout(callback, Math.min(maxTimerMs, Math.ceil(delayMs)));
    timer.unref();
    return () => clearTimeout(timer);
  },
  defer: (callback) => {
    setImmediate(callback);
  },
};

/** Calls back at one point in time, which can be moved. Never early, though timers are. */
export class Alarm {
  readonly #clock: Clock;
  readonly #callback: () => void;
  #at = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
  }

  /** When it is set to go off; Infinity: not set. */
  get at(): number {
    return this.#at;
  }

  set(at: number): void {
    if (at === this.#at) return;
    this.cancel();
    if (at === Number.POSITIVE_INFINITY) return;
    this.#at = at;
    this.#start();
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }

  #start(): void {
    const delayMs = Math.max(0, this.#at - this.#clock.now());
    this.#cancel = this.#clock.startTimer(() => this.#fire(), delayMs);
  }

  #fire(): void {
    if (this.#clock.now() < this.#at) {
      this.#start();
      return;
    }
    this.#cancel = undefined;
    this.#at = Number.POSITIVE_INFINITY;
    this.#callback();
  }
}
