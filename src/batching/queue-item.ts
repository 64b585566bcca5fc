import type { FlowQueue } from './class-queue.js';
import type { Timed } from './deadline-timer.js';
import type { ItemFacts, ItemResult, ServiceClass, Submission, SubmitOptions } from './types.js';
import type { Entitled } from './work-queue.js';

/**
 * Where an item is: `new`, nowhere yet; `waiting`, outside a full queue; `queued`; `set_aside`, in a batch that is
 * formed but not started; `running`; `settled`, answered.
 */
export type Place = 'new' | 'waiting' | 'queued' | 'set_aside' | 'running' | 'settled';

/** Whoever keeps the item, and hears what becomes of the wish for it. */
export interface ItemOwner<T, R> {
  abandoned(item: QueueItem<T, R>): void;
  promoted(item: QueueItem<T, R>, flow: object | undefined): void;
}

const ignore = (): void => undefined;

/** One submitted item on its way, and what the submitter holds of it. */
export class QueueItem<T, R> implements ItemFacts, Submission<R>, Timed, Entitled<QueueItem<T, R>> {
  readonly result: Promise<ItemResult<R>>;
  readonly payload: T;
  readonly tokens: number;
  readonly whenFull: 'refuse' | 'wait';
  readonly enqueuedAt: number;
  serviceClass: ServiceClass;
  flow: object | undefined;
  lane: FlowQueue<QueueItem<T, R>> | undefined = undefined;
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
  readonly #owner: ItemOwner<T, R>;
  #resolve: (result: ItemResult<R>) => void = ignore;
  #reject: (error: Error) => void = ignore;

  constructor(payload: T, options: SubmitOptions, now: number, owner: ItemOwner<T, R>) {
    this.payload = payload;
    this.tokens = options.tokens;
    this.whenFull = options.whenFull;
    this.enqueuedAt = now;
    this.serviceClass = options.serviceClass;
    this.flow = options.flow;
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

  promote(flow: object | undefined): void {
    if (this.serviceClass === 'bulk' && this.place !== 'settled') this.#owner.promoted(this, flow);
  }

  /** To be called while the item is in no queue. */
  belongTo(serviceClass: ServiceClass, flow: object | undefined): void {
    this.serviceClass = serviceClass;
    this.flow = flow;
  }

  /** The deadline where its source has it now. */
  get latestDeadlineAt(): number {
    return this.#deadlineSource?.deadlineAt ?? this.deadlineAt;
  }

  /** Moves the deadline to where its source has it now; tells whether that is in the future. */
  extendDeadline(now: number): boolean {
    const latest = this.latestDeadlineAt;
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
