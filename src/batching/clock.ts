/** Time and scheduling, so that tests turn them by hand. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once after `delayMs`; returns the way to call it off. */
  startTimer(callback: () => void, delayMs: number): () => void;
  /** Calls back once this turn of the event loop has taken in what had arrived. */
  defer(callback: () => void): void;
}

/** The longest delay that setTimeout takes; it fires at once above it. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The process's own clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  startTimer(callback, delayMs) {
    const timer = setTimeout(callback, Math.min(LONGEST_DELAY_MS, Math.ceil(delayMs)));
    timer.unref();
    return () => clearTimeout(timer);
  },
  defer: (callback) => {
    setImmediate(callback);
  },
};
