/** Number of ticks per limit. */
const TICKS = 8;

/**
 * Notices that a message has not been answered within its limit. Counts ticks instead of reading a clock: if the main
 * thread, or the whole process, was delayed, one late tick does not make the thread late.
 */
export class StallWatch {
  readonly #tickMs: number;
  readonly #onStall: (limitMs: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #limitMs: number | undefined;
  #ticks = 0;

  /**
   * @param shortestMs the shortest limit to watch
   * @param onStall called once for each watch that runs out
   */
  constructor(shortestMs: number, onStall: (limitMs: number) => void) {
    this.#tickMs = Math.max(1, shortestMs / TICKS);
    this.#onStall = onStall;
  }

  /** Watches a message from now on, instead of an earlier one. */
  begin(limitMs: number): void {
    this.#limitMs = limitMs;
    this.#ticks = 0;
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs).unref();
  }

  /** Watches nothing. The timer runs until its next tick, because the next message often follows soon. */
  end(): void {
    this.#limitMs = undefined;
  }

  /** Stops the timer. */
  stop(): void {
    this.end();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const limitMs = this.#limitMs;
    if (limitMs === undefined) {
      this.stop();
      return;
    }
    if (++this.#ticks * this.#tickMs < limitMs) return;
    const ticks = this.#ticks;
    // The answer may be in the port, unread: the loop reads it before immediates run.
    setImmediate(() => {
      if (this.#limitMs !== limitMs || this.#ticks !== ticks) return;
      this.stop();
      this.#onStall(limitMs);
    });
  }
}
