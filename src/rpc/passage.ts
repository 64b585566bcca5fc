import type { CallHead, CallObserver, HandledCall, Interceptor } from './interceptor.js';

/** One call's way through the interceptors, in and out. */
export class Passage {
  readonly #interceptors: readonly Interceptor[];
  /** Of the interceptors that the call has passed. */
  readonly #observers: CallObserver[] = [];
  /** How the call ended. */
  #handled: HandledCall | undefined;

  constructor(interceptors: readonly Interceptor[]) {
    this.#interceptors = interceptors;
  }

  /**
   * Takes the call in. Undefined: it has passed all interceptors.
   * @throws what an interceptor throws, or rejects with it
   */
  enter(call: CallHead, from = 0): Promise<void> | undefined {
    const interceptors = this.#interceptors;
    for (let index = from; index < interceptors.length && this.#handled === undefined; index++) {
      const observer = interceptors[index]?.intercept(call);
      if (observer instanceof Promise) {
        return observer.then((found) => {
          this.#observe(found);
          return this.enter(call, index + 1);
        });
      }
      this.#observe(observer);
    }
    return undefined;
  }

  /** The call has ended, perhaps while an interceptor takes its time over it. Called once. */
  leave(handled: HandledCall): void {
    this.#handled = handled;
    for (let index = this.#observers.length - 1; index >= 0; index--) this.#observers[index]?.onEnd(handled);
  }

  #observe(observer: CallObserver | undefined): void {
    if (observer === undefined) return;
    if (this.#handled === undefined) this.#observers.push(observer);
    else observer.onEnd(this.#handled);
  }
}
