import type { InputTrace, SharedClaim } from '../../claim.js';
import type { InputFacts, InputResult, Permit, ServiceClass } from '../types.js';
import type { Timed } from './deadline-timer.js';
import type { FairlyQueued, FlowQueue } from './fair-queue.js';

/**
 * Where an input is: `new`, nowhere yet; `overflow`, outside a full queue; `admitted`, in its place and not tokenised yet;
 * `queued`; `prepared`, in a batch that is formed but not started; `running`; `settled`, answered.
 */
export type Place = 'new' | 'overflow' | 'admitted' | 'queued' | 'prepared' | 'running' | 'settled';

/** Whoever keeps the input, and hears what becomes of it. */
export interface InputOwner<T, R> {
  /** It was handed over, with its true length. */
  submitted(input: Input<T, R>, payload: T, tokens: number): void;
  abandoned(input: Input<T, R>): void;
  promoted(input: Input<T, R>): void;
}

const ignore = (): void => undefined;

/** One input on its way, and what the submitter holds of it. */
export class Input<T, R> implements InputFacts, Permit<T, R>, Timed, FairlyQueued<Input<T, R>> {
  readonly result: Promise<InputResult<R>>;
  readonly whenFull: 'refuse' | 'wait';
  serviceClass: ServiceClass;
  flow: object | undefined;
  /** Estimated until the input is handed over. */
  tokens: number;
  /** Undefined until the input is handed over. */
  payload: T | undefined;
  /** When it joined the queue; before that, when it came. */
  enqueuedAt: number;
  lane: FlowQueue<Input<T, R>> | undefined = undefined;
  deadlineAt: number;
  place: Place = 'new';
  /** When its latest run started. */
  startedAt = 0;
  /** How many runners were lost with it, and when the last one was. */
  losses = 0;
  lostAt = Number.NEGATIVE_INFINITY;
  heapIndex = -1;
  previous: Input<T, R> | undefined = undefined;
  next: Input<T, R> | undefined = undefined;
  readonly #claim: SharedClaim;
  readonly #owner: InputOwner<T, R>;
  #admittedAt = 0;
  /** How long it waited in the overflow. */
  #overflowMs = 0;
  #admitted: { readonly promise: Promise<void>; resolve(): void; reject(error: Error): void } | undefined;
  #resolve: (result: InputResult<R>) => void = ignore;
  #reject: (error: Error) => void = ignore;

  /** @param payload undefined: it will be handed over later */
  constructor(
    payload: T | undefined,
    tokens: number,
    claim: SharedClaim,
    now: number,
    owner: InputOwner<T, R>,
  ) {
    this.payload = payload;
    this.tokens = tokens;
    this.whenFull = claim.whenFull;
    this.enqueuedAt = now;
    this.serviceClass = claim.serviceClass;
    this.flow = claim.flow;
    this.deadlineAt = claim.deadlineAt;
    this.#claim = claim;
    this.#owner = owner;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get admitted(): Promise<void> | undefined {
    return this.#admitted?.promise;
  }

  get settled(): boolean {
    return this.place === 'settled';
  }

  submit(payload: T, tokens: number): void {
    if (this.place !== 'settled') this.#owner.submitted(this, payload, tokens);
  }

  abandon(): void {
    if (this.place !== 'settled') this.#owner.abandoned(this);
  }

  promote(): void {
    if (this.serviceClass === 'bulk' && this.place !== 'settled') this.#owner.promoted(this);
  }

  /** It has to wait in the overflow. */
  waitInOverflow(): void {
    this.place = 'overflow';
    if (this.#admitted !== undefined) return;
    let settle = { resolve: ignore, reject: ignore as (error: Error) => void };
    const promise = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#admitted = { promise, ...settle };
  }

  /** It got its place in the queue. */
  admit(now: number): void {
    this.#admittedAt = now;
    this.#admitted?.resolve();
  }

  /** It is prepared, after it was admitted: that was no wait. To be called while it is in no queue. */
  join(now: number): void {
    this.#overflowMs = this.#admittedAt - this.enqueuedAt;
    this.enqueuedAt = now;
  }

  /** Takes over what its claim says by now. To be called while the input is in no queue. */
  hurry(): void {
    this.serviceClass = 'interactive';
    this.flow = this.#claim.flow;
    // An input of a failed batch comes back to where it was queued: that was a queue of the other class.
    this.lane = undefined;
  }

  /** Undefined: it is not traced. */
  get trace(): InputTrace | undefined {
    return this.#claim.trace;
  }

  /** The deadline where its claim has it now. */
  get latestDeadlineAt(): number {
    return this.#claim.deadlineAt;
  }

  /** Moves the deadline to where its claim has it now; tells whether that is in the future. */
  extendDeadline(now: number): boolean {
    const latest = this.latestDeadlineAt;
    if (latest <= now) return false;
    this.deadlineAt = latest;
    return true;
  }

  answer(value: R, runMs: number, batchSize: number): void {
    this.place = 'settled';
    const queueMs = this.#overflowMs + this.startedAt - this.enqueuedAt;
    this.#resolve({ value, queueMs, runMs, batchSize });
  }

  refuse(error: Error): void {
    this.place = 'settled';
    // Who gave up has no listener left, and an unhandled rejection would end the process.
    this.result.catch(ignore);
    this.#admitted?.promise.catch(ignore);
    this.#admitted?.reject(error);
    this.#reject(error);
  }
}
