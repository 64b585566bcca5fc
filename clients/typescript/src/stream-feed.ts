/** The writing half of a call, as far as a feed needs it. */
export interface FeedTarget<T> {
  /** Whether the call has taken so much that it wants a pause. */
  readonly isFull: boolean;
  write(item: T, index: number): void;
  /** The source has ended. */
  end(): void;
  /** The source failed, or an item could not be sent: the target is to stop the feed. */
  fail(error: unknown): void;
}

/**
 * Moves items from a source to a call, and reads the source no further ahead than `window` items beyond those that
 * were released.
 */
export class StreamFeed<T> {
  readonly #iterator: AsyncIterator<T> | Iterator<T>;
  readonly #target: FeedTarget<T>;
  readonly #window: number;
  #sent = 0;
  #released = 0;
  #pulling = false;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(source: AsyncIterable<T> | Iterable<T>, target: FeedTarget<T>, window: number) {
    this.#iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#target = target;
    this.#window = window;
  }

  /** One item has been dealt with. */
  release(): void {
    this.#released++;
    this.wake();
  }

  /** The target may have room again. */
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Runs until the source has ended, or the feed is stopped. Never rejects. */
  async run(): Promise<void> {
    try {
      for (;;) {
        while (!this.#stopped && (this.#sent - this.#released >= this.#window || this.#target.isFull)) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        if (this.#stopped) return;
        this.#pulling = true;
        const step = this.#iterator.next();
        // A source that is not asynchronous is read without a promise for every item.
        const { done, value } = 'then' in step ? await step : step;
        if (this.#stopped) return;
        if (done) {
          this.#stopped = true;
          this.#target.end();
          return;
        }
        this.#pulling = false;
        this.#target.write(value, this.#sent++);
      }
    } catch (error) {
      if (!this.#stopped) this.#target.fail(error);
    }
  }

  /**
   * Takes nothing more from the source and lets it clean up. Waits for that, unless the source is just being asked
   * for an item: it may take for ever to come up with one. What goes wrong in the cleaning up is nobody's business
   * any more.
   */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.wake();
    try {
      const left = this.#iterator.return?.();
      if (!this.#pulling) await left;
      else if (left !== undefined && 'then' in left) left.then(undefined, () => undefined);
    } catch {
      // See above.
    }
  }
}
