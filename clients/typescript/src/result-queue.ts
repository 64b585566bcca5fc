interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Results between the call that brings them and the loop that takes them. Whoever pushes keeps it bounded. */
export class ResultQueue<T extends object> {
  readonly #results: T[] = [];
  readonly #waiters: Waiter<T>[] = [];
  readonly #onTaken: () => void;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  /** @param onTaken called for every result that the loop takes */
  constructor(onTaken: () => void) {
    this.#onTaken = onTaken;
  }

  push(result: T): void {
    if (this.#ended) return;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#results.push(result);
      return;
    }
    waiter.resolve({ done: false, value: result });
    this.#onTaken();
  }

  /** The next result; after the last one the error, once; then done. */
  next(): Promise<IteratorResult<T, undefined>> {
    const result = this.#results.shift();
    if (result !== undefined) {
      this.#onTaken();
      return Promise.resolve({ done: false, value: result });
    }
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** No more results, and `failure` after those that are here. Later ends change nothing. */
  end(failure?: { readonly error: unknown }): void {
    if (this.#ended) return;
    this.#ended = true;
    const [first, ...others] = this.#waiters.splice(0);
    if (first === undefined) this.#failure = failure;
    else if (failure === undefined) first.resolve(DONE);
    else first.reject(failure.error);
    for (const waiter of others) waiter.resolve(DONE);
  }

  /** Throws away the results that nobody has taken. */
  clear(): void {
    this.#results.length = 0;
  }
}
