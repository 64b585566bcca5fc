/** The end of something that may have to wait for its work: who waits for it, and what cuts the wait short. */
export class Closing {
  readonly #waiting: (() => void)[] = [];
  #started = false;

  /** Whether the end has begun. */
  get started(): boolean {
    return this.#started;
  }

  /** Begins; resolves at `finish`. `force` is called when the signal aborts before that. */
  start(signal: AbortSignal, force: () => void): Promise<void> {
    this.#started = true;
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        signal.removeEventListener('abort', force);
        resolve();
      });
      signal.addEventListener('abort', force, { once: true });
      if (signal.aborted) force();
    });
  }

  finish(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
