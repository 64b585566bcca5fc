import type { Timed } from './deadline-timer.js';
import type { Linked } from './item-queue.js';
import type { ItemFacts, ItemResult, Submission, SubmitOptions } from './types.js';

/**
 * Where an item is: `new`, nowhere yet; `waiting`, outside a full queue; `queued`; `set_aside`, in a batch that is
 * formed but not started; `running`; `settled`, answered.
 */
export type Place = 'new' | 'waiting' | 'queued' | 'set_aside' | 'running' | 'settled';

const ignore = (): void => undefined;

/** One submitted item on its way, and what the submitter holds of it. */
export class QueueItem<T, R> implements ItemFacts, Submission<R>, Timed, Linked<QueueItem<T, R>> {
  readonly result: Promise<ItemResult<R>>;
  readonly payload: T;
  readonly tokens: number;
  readonly whenFull: 'refuse' | 'wait';
  readonly enqueuedAt: number;
  /** Its own share of a run in uncorrected milliseconds, without padding and base. */
  readonly plainMs: number;
  deadlineAt: number;
  place: Place = 'new';
  /** When its latest run started. */
  startedAt = 0;
  /** How many runners were lost with it. */
  losses = 0;
  heapIndex = -1;
  previous: QueueItem<T, R> | undefined = undefined;
  next: QueueItem<T, R> | undefined = undefined;
  readonly #deadlineSource: { readonly deadlineAt: number } | undefined;
  readonly #owner: { abandoned(item: QueueItem<T, R>): void };
  #resolve: (result: ItemResult<R>) => void = ignore;
  #reject: (error: Error) => void = ignore;

  constructor(
    payload: T,
    options: SubmitOptions,
    now: number,
    plainMs: number,
    owner: { abandoned(item: QueueItem<T, R>): void },
  ) {
    this.payload = payload;
    this.tokens = options.tokens;
    this.whenFull = options.whenFull;
    this.enqueuedAt = now;
    this.plainMs = plainMs;
    this.deadlineAt = options.deadlineAt;
    this.#deadlineSource = options.deadlineSource;
    this.#owner = owner;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  abandon(): void {
    if (this.place !== 'settled') this.#owner.abandoned(this);
  }

  /** Moves the deadline to where its source has it now; tells whether that is in the future. */
  extendDeadline(now: number): boolean {
    const latest = this.#deadlineSource?.deadlineAt ?? this.deadlineAt;
    if (latest <= now) return false;
    this.deadlineAt = latest;
    return true;
  }

  answer(value: R, runMs: number, batchSize: number): void {
    this.place = 'settled';
    this.#resolve({ value, queueMs: this.startedAt - this.enqueuedAt, runMs, batchSize });
  }

  refuse(error: Error): void {
    this.place = 'settled';
    // An abandoned item has no listener left, and an unhandled rejection would end the process.
    this.result.catch(ignore);
    this.#reject(error);
  }
}
