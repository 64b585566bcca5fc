/** A caller that has been quiet may use a whole minute's worth at once. */
export const windowMs = 60_000;

/** Milliseconds that many steps may be off by when they are added up: the last unit of a minute is not refused for it. */
export const grainMs = 0.01;

/**
 * So many units a minute, which come back evenly: the generic cell rate algorithm (ITU-T I.371), whose state is one number.
 * Times are performance.now() milliseconds.
 */
export class Allowance {
  readonly #unitMs: number;
  /** When all that was spent will have come back. */
  #fullAt = 0;

  /** @param perMinute units, more than 0 */
  constructor(perMinute: number) {
    this.#unitMs = windowMs / perMinute;
  }

  /** Milliseconds until so many units can be spent: 0 now, Infinity never. With 0 units: until nothing is owed. */
  waitMs(units: number, now: number): number {
    const cost = units * this.#unitMs;
    if (cost > windowMs + grainMs) return Number.POSITIVE_INFINITY;
    const wait = Math.max(this.#fullAt, now) + cost - now - windowMs;
    return wait < grainMs ? 0 : wait;
  }

  /** Spends units, also those that are not there: they are owed. */
  spend(units: number, now: number): void {
    this.#fullAt = Math.max(this.#fullAt, now) + units * this.#unitMs;
  }

  /** What another allowance has left, as the same share of this one. */
  continue(former: Allowance): void {
    this.#fullAt = former.#fullAt;
  }
}
