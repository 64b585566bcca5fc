/** Parts of the window that leave it one after the other. */
const PARTS = 20;

/** Counts of the latest seconds, by kind. */
export class SlidingCounts<K extends string> {
  readonly #kinds: readonly K[];
  readonly #partMs: number;
  /** By part, the part's number and its counts. */
  readonly #parts: { number: number; readonly counts: Record<K, number> }[];

  /** @param windowMs how far back counts go, in milliseconds; up to a twentieth of it more */
  constructor(kinds: readonly K[], windowMs: number) {
    this.#kinds = kinds;
    this.#partMs = windowMs / PARTS;
    this.#parts = Array.from({ length: PARTS + 1 }, () => ({
      number: Number.NEGATIVE_INFINITY,
      counts: this.#zeros(),
    }));
  }

  /** @param now in milliseconds */
  add(kind: K, now: number): void {
    const number = Math.floor(now / this.#partMs);
    const part = this.#parts[number % this.#parts.length];
    if (part === undefined) return;
    if (part.number !== number) {
      part.number = number;
      for (const each of this.#kinds) part.counts[each] = 0;
    }
    part.counts[kind]++;
  }

  /** What lies in the window. @param now in milliseconds */
  totals(now: number): Readonly<Record<K, number>> {
    const oldest = Math.floor(now / this.#partMs) - PARTS;
    const totals = this.#zeros();
    for (const { number, counts } of this.#parts) {
      if (number < oldest) continue;
      for (const kind of this.#kinds) totals[kind] += counts[kind];
    }
    return totals;
  }

  #zeros(): Record<K, number> {
    return Object.fromEntries(this.#kinds.map((kind) => [kind, 0])) as Record<K, number>;
  }
}
