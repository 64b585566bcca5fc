import type { Clock } from '../clock.js';
import type { BatcherHooks, CloseReason } from '../types.js';
import { DeadlineTimer } from './deadline-timer.js';
import type { Input } from './input.js';
import { LinkedQueue } from './linked-queue.js';
import type { QueueBounds } from './queue-bounds.js';
import type { WorkQueue } from './work-queue.js';

/** A batch that is formed and waits for a runner. */
export interface PreparedBatch<T, R> {
  readonly inputs: readonly Input<T, R>[];
  readonly reason: CloseReason;
}

/**
 * Everything that is not running: the queue, the prepared batches before it, the inputs that are admitted and not
 * prepared yet, and the overflow. An input that leaves takes its deadline along, and its room
 * goes to the first of the overflow.
 */
export class Backlog<T, R> {
  readonly bounds: QueueBounds;
  readonly queue: WorkQueue<Input<T, R>>;
  /** By class: nobody urgent waits behind somebody who is not. */
  readonly #overflow = {
    interactive: new LinkedQueue<Input<T, R>>(),
    bulk: new LinkedQueue<Input<T, R>>(),
  };
  /** Let in, and still being prepared. */
  readonly #admitted = new Set<Input<T, R>>();
  readonly #prepared: PreparedBatch<T, R>[] = [];
  readonly #deadlines: DeadlineTimer<Input<T, R>>;
  readonly #onExpired: (input: Input<T, R>) => void;
  readonly #hooks: BatcherHooks;
  readonly #clock: Clock;

  /** `onExpired` is called with inputs whose deadline has passed or cannot be met any more, already removed. */
  constructor(
    clock: Clock,
    bounds: QueueBounds,
    queue: WorkQueue<Input<T, R>>,
    hooks: BatcherHooks,
    onExpired: (input: Input<T, R>) => void,
  ) {
    this.#clock = clock;
    this.bounds = bounds;
    this.queue = queue;
    this.#hooks = hooks;
    this.#onExpired = onExpired;
    this.#deadlines = new DeadlineTimer(clock, (input) => {
      if (input.extendDeadline(clock.now())) {
        this.#deadlines.add(input);
        return;
      }
      this.expire(input);
    });
  }

  /** Inputs of the overflow. */
  get overflowItems(): number {
    return this.#overflow.interactive.size + this.#overflow.bulk.size;
  }

  get preparedBatches(): number {
    return this.#prepared.length;
  }

  get isEmpty(): boolean {
    return this.bounds.items === 0 && this.overflowItems === 0;
  }

  /** Whether the input could join the queue now, without pushing in before those who wait. */
  admits(input: Pick<Input<T, R>, 'tokens' | 'whenFull' | 'serviceClass' | 'flow'>): boolean {
    if (input.whenFull === 'wait' && this.#overflow[input.serviceClass].size > 0) return false;
    return this.bounds.admits(input, this.overflowItems > 0);
  }

  /** Admits the input, or keeps it in the overflow where the queue is full. */
  add(input: Input<T, R>): void {
    this.#deadlines.add(input);
    if (this.admits(input)) {
      this.#admit(input);
      return;
    }
    input.waitInOverflow();
    this.#overflow[input.serviceClass].push(input);
  }

  /** An admitted input is prepared: what it takes is settled to its true length, and it joins the queue. */
  settle(input: Input<T, R>, payload: T, tokens: number): void {
    const isIn = this.#admitted.delete(input);
    if (isIn) this.bounds.leave(input);
    input.payload = payload;
    input.tokens = tokens;
    if (!isIn) return;
    this.bounds.enter(input);
    input.join(this.#clock.now());
    this.#enqueue(input);
  }

  /** Somebody more urgent waits for the input now: it changes to the interactive class, wherever it is. */
  promote(input: Input<T, R>): void {
    const { place } = input;
    if (place === 'queued' || place === 'overflow') {
      this.remove(input);
      input.hurry();
      this.add(input);
    } else if (place === 'prepared' || place === 'admitted') {
      this.bounds.leave(input);
      input.hurry();
      this.bounds.enter(input);
    }
  }

  /**
   * Inputs of a failed batch, before everything else and whatever the bounds say: they were admitted once. Those to put
   * back go to the front of the queue; each part is a batch of its own before the queue.
   */
  takeBack(requeue: readonly Input<T, R>[], parts: readonly (readonly Input<T, R>[])[]): void {
    for (const input of requeue.toReversed()) {
      this.#return(input, 'queued');
      this.queue.requeue(input);
    }
    for (const part of parts) for (const input of part) this.#return(input, 'prepared');
    this.#prepared.unshift(...parts.map((inputs) => ({ inputs, reason: 'bisected' as const })));
  }

  /** A batch out of the queue that is frozen before a runner is free. */
  prepare(batch: PreparedBatch<T, R>): void {
    for (const input of batch.inputs) {
      this.queue.remove(input);
      input.place = 'prepared';
    }
    this.#prepared.push(batch);
  }

  /** The first prepared batch, without the inputs that have left it since. */
  nextPrepared(): PreparedBatch<T, R> | undefined {
    for (let batch = this.#prepared.shift(); batch !== undefined; batch = this.#prepared.shift()) {
      const inputs = batch.inputs.filter((input) => input.place === 'prepared');
      if (inputs.length > 0) return { inputs, reason: batch.reason };
    }
    return undefined;
  }

  /** Takes an input out to run it. */
  start(input: Input<T, R>, now: number): void {
    const wasQueued = input.place === 'queued';
    this.remove(input);
    if (wasQueued) this.queue.charge(input);
    input.place = 'running';
    input.startedAt = now;
  }

  /** Takes an input out, wherever it is. */
  remove(input: Input<T, R>): void {
    this.#deadlines.remove(input);
    if (input.place === 'overflow') {
      this.#overflow[input.serviceClass].remove(input);
    } else {
      this.bounds.leave(input);
      if (input.place === 'queued') this.queue.remove(input);
      else if (input.place === 'admitted') this.#admitted.delete(input);
    }
    input.place = 'new';
  }

  /** Admits those of the overflow, in order, as far as there is room. To be called after inputs were removed. */
  admitOverflow(): void {
    for (const overflow of [this.#overflow.interactive, this.#overflow.bulk]) {
      for (let input = overflow.head; input !== undefined; input = overflow.head) {
        if (!this.bounds.admits(input, true)) break;
        overflow.remove(input);
        this.#admit(input);
      }
    }
  }

  /** Takes out an input whose deadline has passed or cannot be met any more. */
  expire(input: Input<T, R>): void {
    this.remove(input);
    this.#onExpired(input);
  }

  /** Takes out the inputs whose deadline has passed. */
  sweep(): void {
    this.#deadlines.sweep();
  }

  /** Takes everything out. */
  clear(): Input<T, R>[] {
    const inputs = [
      ...this.#prepared.flatMap((batch) => batch.inputs.filter((input) => input.place === 'prepared')),
      ...this.queue.all(),
      ...this.#admitted,
      ...this.#overflow.interactive.first(Number.POSITIVE_INFINITY),
      ...this.#overflow.bulk.first(Number.POSITIVE_INFINITY),
    ];
    this.#prepared.length = 0;
    for (const input of inputs) this.remove(input);
    return inputs;
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

  #return(input: Input<T, R>, place: 'queued' | 'prepared'): void {
    this.#deadlines.add(input);
    this.bounds.enter(input);
    input.place = place;
  }

  #admit(input: Input<T, R>): void {
    this.bounds.enter(input);
    input.admit(this.#clock.now());
    if (input.payload !== undefined) {
      this.#enqueue(input);
      return;
    }
    input.place = 'admitted';
    this.#admitted.add(input);
  }

  #enqueue(input: Input<T, R>): void {
    input.place = 'queued';
    this.queue.push(input);
  }
}
