import type { Line } from './read-lines.js';

/** A queue of lines with look-ahead. */
export class LineQueue {
  readonly #lines: AsyncIterator<Line>;
  #ahead: Line[] = [];
  /** Those before it are taken. */
  #head = 0;

  constructor(lines: AsyncIterator<Line>) {
    this.#lines = lines;
  }

  /** The line that many lines ahead, if it has been looked at. Spares a promise for every line. */
  seen(ahead: number): Line | undefined {
    return this.#ahead[this.#head + ahead];
  }

  /** The line that many lines ahead; undefined after the last one. */
  async peek(ahead: number): Promise<Line | undefined> {
    while (this.#head + ahead >= this.#ahead.length) {
      const { done, value } = await this.#lines.next();
      if (done) return undefined;
      this.#ahead.push(value);
    }
    return this.seen(ahead);
  }

  take(count: number): void {
    this.#head += count;
    if (this.#head === this.#ahead.length) {
      this.#ahead = [];
      this.#head = 0;
    } else if (this.#head > 1_000 && this.#head * 2 > this.#ahead.length) {
      this.#ahead = this.#ahead.slice(this.#head);
      this.#head = 0;
    }
  }

  async close(): Promise<void> {
    await this.#lines.return?.();
  }
}
