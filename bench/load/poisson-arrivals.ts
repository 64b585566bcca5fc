/**
 * Intended send times of a Poisson process: the gaps are independent and exponentially distributed, which is how calls
 * of many independent callers arrive. The inverse of the distribution function, -ln(1 - u) / rate, turns uniform random
 * numbers into such gaps.
 */
export class PoissonArrivals {
  readonly #ratePerMs: number;
  readonly #random: () => number;
  #lastMs = 0;

  /**
   * @param ratePerSecond mean arrivals in a second, above 0
   * @param random 0 (included) to 1 (excluded)
   */
  constructor(ratePerSecond: number, random: () => number) {
    this.#ratePerMs = ratePerSecond / 1000;
    this.#random = random;
  }

  /** The next intended time, in milliseconds after the start; never before the one given last. */
  next(): number {
    this.#lastMs += -Math.log1p(-this.#random()) / this.#ratePerMs;
    return this.#lastMs;
  }
}
