import type { VerdictError } from '../errors.js';
import type { RpcHooks } from './types.js';

/** A call that can be told of the server's end. */
export interface OpenCall {
  drain(): void;
  /** Ends the call now. */
  interrupt(error: VerdictError): void;
}

/** What all calls of one server share: the settings, the hooks, and the list of those that are open. */
export class OpenCalls {
  readonly hooks: RpcHooks;
  readonly defaultDeadlineMs: number;
  readonly #calls = new Set<OpenCall>();
  #onEmpty: (() => void) | undefined;

  constructor(options: { readonly hooks: RpcHooks; readonly defaultDeadlineMs: number }) {
    this.hooks = options.hooks;
    this.defaultDeadlineMs = options.defaultDeadlineMs;
  }

  add(call: OpenCall): void {
    this.#calls.add(call);
  }

  delete(call: OpenCall): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#onEmpty?.();
  }

  /** Tells every call to finish what it has begun. Resolves when none is left. Called once. */
  drain(): Promise<void> {
    for (const call of this.#calls) call.drain();
    return new Promise((resolve) => {
      if (this.#calls.size === 0) resolve();
      else this.#onEmpty = resolve;
    });
  }

  /** Ends every call now. */
  interrupt(error: VerdictError): void {
    for (const call of this.#calls) call.interrupt(error);
  }
}
