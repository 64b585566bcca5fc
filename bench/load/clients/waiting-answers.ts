import type { AnswerSource } from './text-client.js';

interface Waiter {
  readonly resolve: (source: AnswerSource) => void;
  readonly reject: (error: Error) => void;
}

/** Who waits for which answer of a stream, and the stream's end, which fails all that still wait. */
export class WaitingAnswers<Key> {
  readonly #waiters = new Map<Key, Waiter>();
  #ended: Error | undefined;

  /** Resolves when the answer of that key comes. @throws Error when the stream ends before it */
  wait(key: Key): Promise<AnswerSource> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => this.#waiters.set(key, { resolve, reject }));
  }

  settle(key: Key, answer: AnswerSource | Error): void {
    const waiter = this.#waiters.get(key);
    this.#waiters.delete(key);
    if (answer instanceof Error) waiter?.reject(answer);
    else waiter?.resolve(answer);
  }

  end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiters.values()) reject(error);
    this.#waiters.clear();
  }
}
