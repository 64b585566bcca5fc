import { shuttingDown, type VerdictError } from '../errors.js';
import type { TimeLimits } from './call-waits.js';
import type { Connection, Connections } from './connections.js';
import { type ConnectionShare, HeldBytes, type HeldBytesOptions, type Holder } from './held-bytes.js';
import { Inflater } from './inflater.js';
import type { Interceptor } from './interceptor.js';
import { ownTimeoutMs } from './metadata.js';
import type { AnyRoute } from './route.js';
import type { RpcHooks } from './types.js';

/** A call that can be told of the server's end, and looked at from time to time. */
export interface OpenCall extends Holder {
  /** Finish what was begun, then end with the error. */
  drain(error: VerdictError): void;
  /** Ends the call now. */
  fail(error: VerdictError): void;
  /** Ends what has lasted too long. */
  inspect(now: number): void;
}

export interface OpenCallsOptions {
  readonly hooks: RpcHooks;
  readonly interceptors: readonly Interceptor[];
  readonly defaultDeadlineMs: number;
  readonly timeLimits: TimeLimits;
  readonly connections: Connections;
  readonly held: Pick<HeldBytesOptions, 'maxBytes' | 'maxConnectionBytes' | 'maxPeerBytes'>;
}

/** Calls are looked at this often, or four times in the shortest of the limits where that is more often. */
const maxInspectionMs = 1_000;

/** What all calls of one server share: the settings, the hooks, the bounds, and the list of those that are there. */
export class OpenCalls {
  readonly hooks: RpcHooks;
  readonly interceptors: readonly Interceptor[];
  readonly timeLimits: TimeLimits;
  readonly connections: Connections;
  readonly held: HeldBytes;
  readonly inflater = new Inflater();
  /** performance.now(), as of the last inspection: what is only measured in seconds need not ask a clock. */
  now = performance.now();
  /** Calls that have not ended, and ended ones whose streams are still open. */
  readonly #calls = new Set<OpenCall>();
  readonly #defaultDeadlineMs: number;
  readonly #timer: NodeJS.Timeout;
  /** Calls whose status has not left yet. */
  #open = 0;
  #onEmpty: (() => void) | undefined;

  constructor({ hooks, interceptors, defaultDeadlineMs, timeLimits, connections, held }: OpenCallsOptions) {
    this.hooks = hooks;
    this.interceptors = interceptors;
    this.#defaultDeadlineMs = defaultDeadlineMs;
    this.timeLimits = timeLimits;
    this.connections = connections;
    this.held = new HeldBytes({
      ...held,
      holders: () => this.#calls,
      onShed: (reason) => hooks.onCallShed?.(reason),
    });
    const intervalMs = Math.min(maxInspectionMs, timeLimits.messageMs / 4, timeLimits.streamIdleMs / 4);
    this.#timer = setInterval(() => this.#inspect(), intervalMs).unref();
  }

  /**
   * How long a call may take whose caller has set no deadline, in milliseconds; Infinity: as long as it likes.
   * @param envoysHeader how long Envoy's route allows, as Envoy has written it
   */
  ownTimeoutMs({ shape }: Pick<AnyRoute, 'shape'>, envoysHeader: string | undefined): number {
    return ownTimeoutMs(envoysHeader, shape === 'unary' ? this.#defaultDeadlineMs : Number.POSITIVE_INFINITY);
  }

  add(call: OpenCall): void {
    this.#calls.add(call);
    this.#open++;
  }

  /** The last word of one of the calls has left, or never will. */
  left(): void {
    this.#open--;
    if (this.#open === 0) this.#onEmpty?.();
  }

  /** Nothing is left of a call that has ended. */
  delete(call: OpenCall): void {
    this.#calls.delete(call);
  }

  /** Tells every call to finish what it has begun. Resolves when all that they answered has left. Called once. */
  drain(): Promise<void> {
    for (const call of this.#calls) call.drain(shuttingDown());
    return new Promise((resolve) => {
      if (this.#open === 0) resolve();
      else this.#onEmpty = resolve;
    });
  }

  /** Ends every call now. */
  interrupt(error: VerdictError): void {
    for (const call of this.#calls) call.fail(error);
  }

  /** Tells the calls of these connections to finish, those that have been without a message since the time given. */
  drainIdle(idle: ReadonlyMap<ConnectionShare, number>, error: VerdictError): void {
    for (const call of this.#calls) {
      const since = idle.get(call.connection);
      if (since !== undefined && call.activeAt <= since) call.drain(error);
    }
  }

  interruptConnection(connection: Connection, error: VerdictError): void {
    for (const call of this.#calls) if (call.connection === connection) call.fail(error);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #inspect(): void {
    this.now = performance.now();
    for (const call of this.#calls) call.inspect(this.now);
  }
}
