import type { Clock } from './clock.js';
import { DeadlineTimer } from './deadline-timer.js';
import { ItemQueue } from './item-queue.js';
import type { QueueBounds } from './queue-bounds.js';
import type { QueueItem } from './queue-item.js';
import type { Recovery } from './recovery.js';
import type { BatcherHooks, CloseReason } from './types.js';
import type { WorkQueue } from './work-queue.js';

/** A batch that is formed and waits for a runner. */
export interface FormedBatch<T, R> {
  readonly items: readonly QueueItem<T, R>[];
  readonly reason: CloseReason;
}

/**
 * Everything that is not running: the queue, the batches set aside before it, the items that were let in and are still
 * being prepared, and those that wait outside a full queue. An item that leaves takes its deadline along, and its room
 * goes to the first of those outside.
 */
export class Backlog<T, R> {
  readonly bounds: QueueBounds;
  readonly queue: WorkQueue<QueueItem<T, R>>;
  /** By class: nobody urgent waits behind somebody who is not. */
  readonly #outside = {
    interactive: new ItemQueue<QueueItem<T, R>>(),
    bulk: new ItemQueue<QueueItem<T, R>>(),
  };
  /** Let in, and still being prepared. */
  readonly #admitted = new Set<QueueItem<T, R>>();
  readonly #setAside: FormedBatch<T, R>[] = [];
  readonly #deadlines: DeadlineTimer<QueueItem<T, R>>;
  readonly #onExpired: (item: QueueItem<T, R>) => void;
  readonly #hooks: BatcherHooks;
  readonly #clock: Clock;

  /** `onExpired` is called with items whose deadline has passed or cannot be met any more, already removed. */
  constructor(
    clock: Clock,
    bounds: QueueBounds,
    queue: WorkQueue<QueueItem<T, R>>,
    hooks: BatcherHooks,
    onExpired: (item: QueueItem<T, R>) => void,
  ) {
    this.#clock = clock;
    this.bounds = bounds;
    this.queue = queue;
    this.#hooks = hooks;
    this.#onExpired = onExpired;
    this.#deadlines = new DeadlineTimer(clock, (item) => {
      if (item.extendDeadline(clock.now())) {
        this.#deadlines.add(item);
        return;
      }
      this.expire(item);
    });
  }

  /** Items of the queue proper: without those set aside and those outside. */
  get queueLength(): number {
    return this.queue.size;
  }

  /** Items outside the full queue. */
  get waitingItems(): number {
    return this.#outside.interactive.size + this.#outside.bulk.size;
  }

  get setAsideBatches(): number {
    return this.#setAside.length;
  }

  get isEmpty(): boolean {
    return this.bounds.items === 0 && this.waitingItems === 0;
  }

  /** Whether the item could join the queue now, without pushing in before those who wait. */
  admits(item: Pick<QueueItem<T, R>, 'tokens' | 'whenFull' | 'serviceClass' | 'flow'>): boolean {
    if (item.whenFull === 'wait' && this.#outside[item.serviceClass].size > 0) return false;
    return this.bounds.admits(item, this.waitingItems > 0);
  }

  /** Lets the item in, or keeps it outside where the queue is full. */
  add(item: QueueItem<T, R>): void {
    this.#deadlines.add(item);
    if (this.admits(item)) {
      this.#letIn(item);
      return;
    }
    item.keepOut();
    this.#outside[item.serviceClass].push(item);
  }

  /** An item that was let in is ready: what it takes is settled to its true length, and it joins the queue. */
  settle(item: QueueItem<T, R>, payload: T, tokens: number): void {
    const isIn = this.#admitted.delete(item);
    if (isIn) this.bounds.leave(item);
    item.payload = payload;
    item.tokens = tokens;
    if (!isIn) return;
    this.bounds.enter(item);
    item.join(this.#clock.now());
    this.#enqueue(item);
  }

  /** Somebody more urgent waits for the item now: it changes to the interactive class, wherever it is. */
  promote(item: QueueItem<T, R>): void {
    const { place } = item;
    if (place === 'queued' || place === 'waiting') {
      this.remove(item);
      item.hurry();
      this.add(item);
    } else if (place === 'set_aside' || place === 'admitted') {
      this.bounds.leave(item);
      item.hurry();
      this.bounds.enter(item);
    }
  }

  /** Items of a failed batch, before everything else and whatever the bounds say: they were admitted once. */
  takeBack({ putBack, parts }: Pick<Recovery<T, R>, 'putBack' | 'parts'>): void {
    for (const item of putBack.toReversed()) {
      this.#return(item, 'queued');
      this.queue.putBack(item);
    }
    for (const part of parts) for (const item of part) this.#return(item, 'set_aside');
    this.#setAside.unshift(...parts.map((items) => ({ items, reason: 'bisected' as const })));
  }

  /** A batch out of the queue that is frozen before a runner is free. */
  setAsideLast(batch: FormedBatch<T, R>): void {
    for (const item of batch.items) {
      this.queue.remove(item);
      item.place = 'set_aside';
    }
    this.#setAside.push(batch);
  }

  /** The first batch set aside, without the items that have left it since. */
  nextSetAside(): FormedBatch<T, R> | undefined {
    for (let batch = this.#setAside.shift(); batch !== undefined; batch = this.#setAside.shift()) {
      const items = batch.items.filter((item) => item.place === 'set_aside');
      if (items.length > 0) return { items, reason: batch.reason };
    }
    return undefined;
  }

  /** What a batch may be chosen from, the most urgent item first: see {@link WorkQueue.window}. */
  window(count: number, lead: number, overdueAt: number): QueueItem<T, R>[] {
    return this.queue.window(count, lead, overdueAt);
  }

  /** Takes an item out to run it. */
  start(item: QueueItem<T, R>, now: number): void {
    const wasQueued = item.place === 'queued';
    this.remove(item);
    if (wasQueued) this.queue.charge(item);
    item.place = 'running';
    item.startedAt = now;
  }

  /** Takes an item out, wherever it is. */
  remove(item: QueueItem<T, R>): void {
    this.#deadlines.remove(item);
    if (item.place === 'waiting') {
      this.#outside[item.serviceClass].remove(item);
    } else {
      this.bounds.leave(item);
      if (item.place === 'queued') this.queue.remove(item);
      else if (item.place === 'admitted') this.#admitted.delete(item);
    }
    item.place = 'new';
  }

  /** Lets those outside in, in order, as far as there is room. To be called after items were removed. */
  admitWaiting(): void {
    for (const outside of [this.#outside.interactive, this.#outside.bulk]) {
      for (let item = outside.head; item !== undefined; item = outside.head) {
        if (!this.bounds.admits(item, true)) break;
        outside.remove(item);
        this.#letIn(item);
      }
    }
  }

  /** Takes out an item whose deadline has passed or cannot be met any more. */
  expire(item: QueueItem<T, R>): void {
    this.remove(item);
    this.#onExpired(item);
  }

  /** Takes out the items whose deadline has passed. */
  sweep(): void {
    this.#deadlines.sweep();
  }

  /** Takes everything out. */
  clear(): QueueItem<T, R>[] {
    const items = [
      ...this.#setAside.flatMap((batch) => batch.items.filter((item) => item.place === 'set_aside')),
      ...this.queue.all(),
      ...this.#admitted,
      ...this.#outside.interactive.first(Number.POSITIVE_INFINITY),
      ...this.#outside.bulk.first(Number.POSITIVE_INFINITY),
    ];
    this.#setAside.length = 0;
    for (const item of items) this.remove(item);
    return items;
  }

  /** Tells the hooks how much is queued. */
  announce(): void {
    const { items, tokens } = this.bounds;
    this.#hooks.onQueue?.({
      items,
      tokens,
      interactive: this.bounds.of('interactive'),
      bulk: this.bounds.of('bulk'),
    });
  }

  /** Stops the timer. */
  stop(): void {
    this.#deadlines.stop();
  }

  #return(item: QueueItem<T, R>, place: 'queued' | 'set_aside'): void {
    this.#deadlines.add(item);
    this.bounds.enter(item);
    item.place = place;
  }

  #letIn(item: QueueItem<T, R>): void {
    this.bounds.enter(item);
    item.letIn(this.#clock.now());
    if (item.payload !== undefined) {
      this.#enqueue(item);
      return;
    }
    item.place = 'admitted';
    this.#admitted.add(item);
  }

  #enqueue(item: QueueItem<T, R>): void {
    item.place = 'queued';
    this.queue.push(item);
  }
}
