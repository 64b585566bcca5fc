import type { Socket } from 'node:net';
import { untilAborted } from '../concurrency/until-aborted.js';
import { shuttingDown } from '../errors.js';
import { DirectCall } from './direct-call.js';
import type { DirectCaller, DirectRequest, OpenedCall } from './direct-caller.js';
import type { Method } from './method.js';
import type { OpenCalls } from './open-calls.js';
import type { RequestHeads } from './request-heads.js';

/** The way in for calls of other protocols, beside gRPC's: the same methods, steps and limits, in this process. */
export class DirectCalls {
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #calls: OpenCalls;
  readonly #heads: RequestHeads;
  readonly #open = new Set<DirectCall>();
  #onEmpty: (() => void) | undefined;
  #isDraining = false;

  constructor(methods: ReadonlyMap<string, Method>, calls: OpenCalls, heads: RequestHeads) {
    this.#methods = methods;
    this.#calls = calls;
    this.#heads = heads;
  }

  /**
   * A call that has not begun: `start` begins it.
   * @param path `/service/method`
   * @throws Error where there is no such method
   */
  open(path: string, request: DirectRequest, caller: DirectCaller): OpenedCall {
    const method = this.#methods.get(path);
    if (method === undefined) throw new Error(`there is no method ${path}`);
    const call = new DirectCall(method, this.#calls, {
      connection: this.#calls.connections.ofSocket(request.socket),
      metadata: this.#heads.readDirect(request.headers, request.rawHeaders),
      caller,
      onGone: () => this.#left(call),
    });
    this.#open.add(call);
    if (this.#isDraining) queueMicrotask(() => call.drain(shuttingDown()));
    return call;
  }

  /** The name that the limits of a connection are kept under, and whether they hold for it: trusted proxies speak for many. */
  peerOf({ remoteAddress = '' }: Socket): { readonly name: string; readonly isTrusted: boolean } {
    const { peers } = this.#calls.connections;
    return { name: peers.of(remoteAddress), isTrusted: peers.isTrusted(remoteAddress) };
  }

  /**
   * Finishes what is there, and refuses what comes. Resolves when the last word of every call has left, or soon after the signal is
   * aborted, which ends those that are left. Called once.
   */
  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    for (const call of this.#open) call.drain(shuttingDown());
    const done = new Promise<void>((resolve) => {
      if (this.#open.size === 0) resolve();
      else this.#onEmpty = resolve;
    });
    await untilAborted(done, signal);
    for (const call of this.#open) call.fail(shuttingDown());
  }

  #left(call: DirectCall): void {
    this.#open.delete(call);
    if (this.#open.size === 0) this.#onEmpty?.();
  }
}
