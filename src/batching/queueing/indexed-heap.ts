/** What a heap holds: `heapIndex` belongs to the heap; it starts at -1, and is that again once the entry has left. */
export interface HeapEntry {
  heapIndex: number;
}

/**
 * A binary heap by a number that each entry has, the least first. Entries know their place, so that adding, removing and
 * moving one cost O(log n) and nothing is ever searched for.
 */
export class IndexedHeap<E extends HeapEntry> {
  readonly #entries: E[] = [];
  readonly #keyOf: (entry: E) => number;

  constructor(keyOf: (entry: E) => number) {
    this.#keyOf = keyOf;
  }

  get size(): number {
    return this.#entries.length;
  }

  get first(): E | undefined {
    return this.#entries[0];
  }

  /** All entries, in no order. */
  get entries(): readonly E[] {
    return this.#entries;
  }

  add(entry: E): void {
    this.#entries.push(entry);
    this.#rise(entry, this.#entries.length - 1);
  }

  /** Does nothing for an entry that is not there. */
  remove(entry: E): void {
    const index = entry.heapIndex;
    if (index < 0) return;
    entry.heapIndex = -1;
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    this.#settle(last, index);
  }

  /** To be called when the number of an entry has changed. */
  moved(entry: E): void {
    if (entry.heapIndex >= 0) this.#settle(entry, entry.heapIndex);
  }

  /**
   * Entries whose number is at most `limit`, the first one first and the others nearly in order, up to `count` of them.
   * Costs O(count): below an entry that is above the limit nothing is looked at.
   */
  upTo(limit: number, count: number): E[] {
    const entries = this.#entries;
    const found: E[] = [];
    if (entries[0] === undefined || this.#keyOf(entries[0]) > limit) return found;
    found.push(entries[0]);
    for (let i = 0; i < found.length && found.length < count; i++) {
      const below = 2 * (found[i]?.heapIndex ?? 0) + 1;
      for (let child = below; child <= below + 1 && found.length < count; child++) {
        const entry = entries[child];
        if (entry !== undefined && this.#keyOf(entry) <= limit) found.push(entry);
      }
    }
    return found;
  }

  #settle(entry: E, index: number): void {
    const parent = this.#entries[(index - 1) >> 1];
    if (index > 0 && parent !== undefined && this.#keyOf(parent) > this.#keyOf(entry))
      this.#rise(entry, index);
    else this.#sink(entry, index);
  }

  #rise(entry: E, from: number): void {
    const entries = this.#entries;
    const key = this.#keyOf(entry);
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = entries[above];
      if (parent === undefined || this.#keyOf(parent) <= key) break;
      entries[index] = parent;
      parent.heapIndex = index;
      index = above;
    }
    entries[index] = entry;
    entry.heapIndex = index;
  }

  #sink(entry: E, from: number): void {
    const entries = this.#entries;
    const key = this.#keyOf(entry);
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      const left = entries[below];
      if (left === undefined) break;
      let child = left;
      const right = entries[below + 1];
      if (right !== undefined && this.#keyOf(right) < this.#keyOf(left)) {
        child = right;
        below++;
      }
      if (this.#keyOf(child) >= key) break;
      entries[index] = child;
      child.heapIndex = index;
      index = below;
    }
    entries[index] = entry;
    entry.heapIndex = index;
  }
}
