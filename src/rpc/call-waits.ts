import { VerdictError } from '../errors.js';
import type { AnyRoute } from './route.js';

/** How long callers may take. */
export interface TimeLimits {
  /** From the first byte of a message to its last; of a unary request from the start of the call. Milliseconds. */
  readonly messageMs: number;
  /** How long a stream may be without a message in either direction. Milliseconds. */
  readonly streamIdleMs: number;
}

/** What has come of a request at one moment. */
export interface Arrived {
  /** Messages received so far. */
  readonly received: number;
  /** Another one has begun to arrive, and is read as it comes. */
  readonly partial: boolean;
  /** The caller has half-closed. */
  readonly ended: boolean;
}

/** Notices that a call has waited for its caller for too long, from looks at it about once a second. */
export class CallWaits {
  readonly #route: Pick<AnyRoute, 'shape' | 'mayIdle'>;
  readonly #arrivedAt: number;
  /** When the message that is arriving was first seen, and how many came before it. */
  #partialSince = 0;
  #partialNumber = -1;

  constructor(route: Pick<AnyRoute, 'shape' | 'mayIdle'>, arrivedAt: number) {
    this.#route = route;
    this.#arrivedAt = arrivedAt;
  }

  /**
   * The error to end the call with, where a limit has passed. Times are performance.now() milliseconds.
   * @param activeAt when it last got or sent a message
   */
  problem(limits: TimeLimits, arrived: Arrived, now: number, activeAt: number): VerdictError | undefined {
    const { messageMs, streamIdleMs } = limits;
    const { received, partial } = arrived;
    if (!partial) this.#partialNumber = -1;
    else if (this.#partialNumber !== received) {
      this.#partialNumber = received;
      this.#partialSince = now;
    }
    const partialMs = this.#partialNumber === -1 ? 0 : now - this.#partialSince;
    const requestMs = this.#isIncomplete(arrived) ? now - this.#arrivedAt : 0;
    if (Math.max(partialMs, requestMs) > messageMs) {
      const message = `the request did not arrive in full within ${messageMs} ms`;
      return new VerdictError('deadline_exceeded', message, { reason: 'MESSAGE_TIMEOUT' });
    }
    const mayIdle = this.#route.shape === 'unary' || this.#route.mayIdle === true;
    if (mayIdle || now - activeAt <= streamIdleMs) return undefined;
    const message = `the stream has had no message in either direction for ${streamIdleMs} ms`;
    return new VerdictError('deadline_exceeded', message, { reason: 'STREAM_IDLE' });
  }

  /** A unary request lasts until its half-close; a watch has one message. */
  #isIncomplete({ ended, received }: Arrived): boolean {
    const { shape } = this.#route;
    return shape === 'unary' ? !ended : shape === 'serverStream' && received === 0;
  }
}
