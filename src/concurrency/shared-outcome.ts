interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The outcome of one task for all who wait for it. A promise keeps everybody who waits until it settles; here whoever leaves is
 * forgotten at once, so that those who come and go take no memory while the task takes its time.
 */
export class SharedOutcome<T> {
  readonly #task: Promise<T>;
  readonly #waiters = new Set<Waiter<T>>();
  #isSettled = false;

  constructor(task: Promise<T>) {
    this.#task = task;
    task.then(
      (value) => this.#settle(({ resolve }) => resolve(value)),
      (error: unknown) => this.#settle(({ reject }) => reject(error)),
    );
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** @param signal stops to wait, and leaves the task alone @throws what the task failed with; the signal's reason */
  wait(signal?: AbortSignal): Promise<T> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.#isSettled) return this.#task;
    return new Promise<T>((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        reject(signal?.reason);
      };
      const stay = (): void => signal?.removeEventListener('abort', leave);
      const waiter: Waiter<T> = {
        resolve: (value) => {
          stay();
          resolve(value);
        },
        reject: (error) => {
          stay();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  #settle(tell: (waiter: Waiter<T>) => void): void {
    this.#isSettled = true;
    for (const waiter of this.#waiters) tell(waiter);
    this.#waiters.clear();
  }
}
