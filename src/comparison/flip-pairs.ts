/** Pairs of labels that are counted apart. */
const MOST_PAIRS = 256;

/** How often one label became another, by their positions in one list. The pairs that come first are counted apart. */
export class FlipPairs {
  readonly #labelCount: number;
  readonly #counts = new Map<number, number>();
  #leftOut = 0;

  constructor(labelCount: number) {
    this.#labelCount = labelCount;
  }

  /** Flips between pairs that are not counted apart. */
  get leftOut(): number {
    return this.#leftOut;
  }

  add(from: number, to: number): void {
    const pair = from * this.#labelCount + to;
    const count = this.#counts.get(pair);
    if (count === undefined && this.#counts.size >= MOST_PAIRS) this.#leftOut++;
    else this.#counts.set(pair, (count ?? 0) + 1);
  }

  /** Most frequent first. */
  list(): { readonly from: number; readonly to: number; readonly count: number }[] {
    return [...this.#counts]
      .map(([pair, count]) => ({
        from: Math.floor(pair / this.#labelCount),
        to: pair % this.#labelCount,
        count,
      }))
      .sort((a, b) => b.count - a.count || a.from - b.from || a.to - b.to);
  }
}
