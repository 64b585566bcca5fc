import type { Claim, InputTrace } from '../claim.js';
import { maxTimerMs } from '../concurrency/max-timer.js';
import { callerLeft, deadlineExceeded, VerdictError } from '../errors.js';
import type { Resolved } from './types.js';

/** What makes a waiter leave. */
export interface Waited {
  leave(waiter: FlightWaiter): void;
}

/**
 * The waiters of one stream, which share its signal. A signal looks through all its listeners whenever one is added, so
 * a listener for each of a thousand inputs in flight would cost more than the rest of the input. This is one listener
 * for all.
 */
class StreamWaiters {
  static readonly #ofSignal = new WeakMap<AbortSignal, StreamWaiters>();
  readonly waiters = new Set<FlightWaiter>();

  static of(signal: AbortSignal): StreamWaiters {
    const known = StreamWaiters.#ofSignal.get(signal);
    if (known !== undefined) return known;
    const added = new StreamWaiters();
    StreamWaiters.#ofSignal.set(signal, added);
    signal.addEventListener('abort', added);
    return added;
  }

  handleEvent(): void {
    for (const waiter of this.waiters) waiter.handleEvent();
  }
}

/**
 * One caller that waits for a flight: settles once, with the flight's result or with this caller's own end. Listens to
 * the call's signal itself (`handleEvent`) rather than through a closure per input.
 */
export class FlightWaiter {
  readonly promise: Promise<Resolved>;
  readonly joinedAt = performance.now();
  readonly deadlineAt: number;
  readonly whenFull: Claim['whenFull'];
  readonly trace: InputTrace | undefined;
  readonly #flight: Waited;
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #others: Set<FlightWaiter> | undefined;
  #settle!: { resolve(resolved: Resolved): void; reject(error: unknown): void };

  constructor(flight: Waited, claim: Claim) {
    this.#flight = flight;
    this.#signal = claim.signal;
    this.deadlineAt = claim.deadlineAt;
    this.whenFull = claim.whenFull;
    this.trace = claim.trace;
    this.promise = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Inputs of a stream share a signal; a unary call's signal has one waiter.
    if (claim.whenFull === 'wait') {
      this.#others = StreamWaiters.of(this.#signal).waiters;
      this.#others.add(this);
    } else {
      this.#signal.addEventListener('abort', this);
    }
    const remainingMs = claim.deadlineAt - this.joinedAt;
    if (remainingMs <= maxTimerMs) this.#timer = setTimeout(expire, Math.max(0, remainingMs), this);
  }

  resolve(resolved: Resolved): void {
    this.#stopWaiting();
    this.#settle.resolve(resolved);
  }

  reject(error: unknown): void {
    this.#stopWaiting();
    this.#settle.reject(error);
  }

  /** The call's signal was aborted. */
  handleEvent(): void {
    this.leave(cancellation(this.#signal));
  }

  /** Gives up for this caller only. */
  leave(error: VerdictError): void {
    this.reject(error);
    this.#flight.leave(this);
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    if (this.#others === undefined) this.#signal.removeEventListener('abort', this);
    else this.#others.delete(this);
  }
}

/** Why this caller must not start to wait; undefined: it may. */
export function reasonNotToWait(claim: Claim): VerdictError | undefined {
  if (claim.signal.aborted) return cancellation(claim.signal);
  if (performance.now() >= claim.deadlineAt) return deadlineExceeded();
  return undefined;
}

function expire(waiter: FlightWaiter): void {
  waiter.leave(deadlineExceeded());
}

/** A call's signal carries the error that ended the call. */
function cancellation(signal: AbortSignal): VerdictError {
  const { reason } = signal;
  return reason instanceof VerdictError ? reason : callerLeft();
}
