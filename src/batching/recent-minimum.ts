/** The least of what was noted lately, in a ring of buckets: noting and asking are O(1), and nothing grows. */
export class RecentMinimum {
  readonly #bucketMs: number;
  readonly #minima: Float64Array;
  /** Which stretch of time each bucket holds, counted in buckets since the clock's zero. */
  readonly #stretches: Float64Array;

  /** Values are remembered for at least `spanMs`, and for one part of it more at most. */
  constructor(spanMs: number, parts = 10) {
    this.#bucketMs = spanMs / parts;
    this.#minima = new Float64Array(parts + 1);
    this.#stretches = new Float64Array(parts + 1).fill(Number.NEGATIVE_INFINITY);
  }

  note(value: number, now: number): void {
    const stretch = Math.floor(now / this.#bucketMs);
    const bucket = stretch % this.#minima.length;
    if (this.#stretches[bucket] !== stretch) {
      this.#stretches[bucket] = stretch;
      this.#minima[bucket] = value;
    } else if (value < (this.#minima[bucket] ?? value)) {
      this.#minima[bucket] = value;
    }
  }

  /** Infinity where nothing was noted lately. */
  least(now: number): number {
    const oldest = Math.floor(now / this.#bucketMs) - this.#minima.length;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#minima.length; i++) {
      if ((this.#stretches[i] ?? oldest) > oldest) least = Math.min(least, this.#minima[i] ?? least);
    }
    return least;
  }
}
