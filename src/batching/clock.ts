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
