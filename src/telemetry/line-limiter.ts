/** Lets one log line pass per interval, so that a failing part does not flood the log. */
export class LineLimiter {
  #nextAt = Number.NEGATIVE_INFINITY;
  #suppressed = 0;

  /**
   * @param intervalMs time between two lines
   * @param now a clock in milliseconds
   */
  constructor(
    private readonly intervalMs: number,
    private readonly now: () => number,
  ) {}

  /** The number of lines held back since the last one that passed; undefined if this one is held back too. */
  pass(): number | undefined {
    const now = this.now();
    if (now < this.#nextAt) {
      this.#suppressed++;
      return undefined;
    }
    const suppressed = this.#suppressed;
    this.#nextAt = now + this.intervalMs;
    this.#suppressed = 0;
    return suppressed;
  }
}
