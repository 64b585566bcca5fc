import { Load, type LoadFacts } from '../cost/load.js';
import { type HeapEntry, IndexedHeap } from './indexed-heap.js';
import { ItemQueue, type Linked } from './item-queue.js';

/** What an item is queued by. */
export interface Queued<I> extends Linked<I> {
  readonly tokens: number;
  /** When it came, on the batcher's clock. */
  readonly enqueuedAt: number;
}

/** The queued items of one flow, oldest first, and how much the flow has had. */
export class FlowQueue<I extends Queued<I>> implements HeapEntry {
  readonly load = new Load();
  /** Tokens served, counted from where the others stood when the flow came in: see {@link ClassQueue}. */
  pass = 0;
  heapIndex = -1;
  readonly #items = new ItemQueue<I>();

  get head(): I | undefined {
    return this.#items.head;
  }

  /** When the first item came; Infinity: there is none. */
  get oldestAt(): number {
    return this.#items.head?.enqueuedAt ?? Number.POSITIVE_INFINITY;
  }

  push(item: I): void {
    this.#items.push(item);
    this.load.add(item.tokens);
  }

  unshift(item: I): void {
    this.#items.unshift(item);
    this.load.add(item.tokens);
  }

  remove(item: I): void {
    this.#items.remove(item);
    this.load.remove(item.tokens);
  }
}

const NOTHING: LoadFacts = new Load();

/**
 * The queued items of one class, by flow.
 *
 * Start-time fair queueing (P. Goyal, H. M. Vin, H. Cheng, "Start-time Fair Queuing", SIGCOMM 1996; the same idea for
 * processors is C. A. Waldspurger's stride scheduling, 1995): a flow carries a pass, the tokens that it has had, and the
 * one with the smallest pass is the next. A flow that comes in starts where the most backward one stands, or where it
 * left itself if that is further on: by staying away nobody saves anything up, and by emptying its queue nobody gets rid
 * of what it has had. Where no flow waits, everybody starts level again.
 */
export class ClassQueue<I extends Queued<I>> {
  readonly load = new Load();
  /** Tokens that the class has had, divided by its weight. */
  pass = 0;
  readonly weight: number;
  /** When an item of this class was the first of a batch, the last time; on the batcher's clock. */
  anchoredAt = Number.NEGATIVE_INFINITY;
  readonly #active = new IndexedHeap<FlowQueue<I>>((flow) => flow.pass);
  readonly #flows = new WeakMap<object, FlowQueue<I>>();
  /** Of all items that name no flow. */
  readonly #common = new FlowQueue<I>();
  #highestPass = 0;
  /** Whether the latest batch of this class went to its oldest item, out of turn. */
  #oldestWentLast = false;

  constructor(weight: number) {
    this.weight = weight;
  }

  /** The item that comes first: the oldest one of the flow that has had least. */
  get head(): I | undefined {
    return this.#active.first?.head;
  }

  /** What a flow has queued here. */
  loadOf(flow: object | undefined): LoadFacts {
    return (flow === undefined ? this.#common : this.#flows.get(flow))?.load ?? NOTHING;
  }

  /** How many flows share the class as soon as this one has something queued. */
  flowsWith(flow: object | undefined): number {
    return this.#active.size + (this.loadOf(flow).items > 0 ? 0 : 1);
  }

  push(item: I, flow: object | undefined): FlowQueue<I> {
    const queue = this.#flowQueue(flow);
    this.#activate(queue);
    queue.push(item);
    this.load.add(item.tokens);
    return queue;
  }

  /** Takes out an item of this class. */
  remove(item: I, queue: FlowQueue<I>): void {
    queue.remove(item);
    this.load.remove(item.tokens);
    if (queue.load.items === 0) this.#active.remove(queue);
  }

  /** The flow has had these tokens. */
  charge(queue: FlowQueue<I>, tokens: number): void {
    queue.pass += tokens;
    this.pass += tokens / this.weight;
    this.#highestPass = Math.max(this.#highestPass, queue.pass);
    this.#active.moved(queue);
  }

  /** Puts an item back to the front of its flow: it was charged for a run that came to nothing. */
  putBack(item: I, queue: FlowQueue<I>): void {
    queue.pass -= item.tokens;
    this.pass -= item.tokens / this.weight;
    if (queue.heapIndex < 0) this.#active.add(queue);
    else this.#active.moved(queue);
    queue.unshift(item);
    this.load.add(item.tokens);
  }

  /** When the oldest item came, on the batcher's clock; Infinity: there is none. */
  get oldestAt(): number {
    let oldestAt = Number.POSITIVE_INFINITY;
    for (const flow of this.#active.entries) oldestAt = Math.min(oldestAt, flow.oldestAt);
    return oldestAt;
  }

  /** A batch was chosen with this item as its first. */
  anchored(item: I, now: number): void {
    this.anchoredAt = now;
    this.#oldestWentLast = item !== this.head;
  }

  /**
   * Up to `count` items: the head, and then in turns the oldest ones of every flow that is at most `lead` tokens ahead of
   * the head's.
   *
   * Every other time the head gives way to the oldest of all these, if that one came at `overdueAt` or before: items of
   * all flows fill the batches, so a flow keeps up in tokens while an item of an odd length, which fits into nobody's
   * batch, waits for its flow's turn to come once for every older item of it.
   */
  window(count: number, lead: number, overdueAt: number): I[] {
    const [first] = this.#active.upTo(Number.POSITIVE_INFINITY, 1);
    if (first === undefined) return [];
    const flows = this.#active.upTo(first.pass + lead, count);
    if (!this.#oldestWentLast) oldestFirst(flows, overdueAt);
    const next = flows.map((flow) => flow.head);
    const items: I[] = [];
    for (let left = next.length; left > 0; ) {
      left = 0;
      for (let i = 0; i < next.length && items.length < count; i++) {
        const item = next[i];
        if (item === undefined) continue;
        items.push(item);
        next[i] = item.next;
        left++;
      }
    }
    return items;
  }

  #flowQueue(flow: object | undefined): FlowQueue<I> {
    if (flow === undefined) return this.#common;
    let queue = this.#flows.get(flow);
    if (queue === undefined) {
      queue = new FlowQueue<I>();
      this.#flows.set(flow, queue);
    }
    return queue;
  }

  #activate(queue: FlowQueue<I>): void {
    if (queue.heapIndex >= 0) return;
    queue.pass = Math.max(queue.pass, this.#active.first?.pass ?? this.#highestPass);
    this.#active.add(queue);
  }
}

/** Moves the flow with the oldest item to the front, if that item came at `overdueAt` or before. */
function oldestFirst<I extends Queued<I>>(flows: FlowQueue<I>[], overdueAt: number): void {
  let oldest = 0;
  for (let i = 1; i < flows.length; i++) {
    if ((flows[i]?.oldestAt ?? 0) < (flows[oldest]?.oldestAt ?? 0)) oldest = i;
  }
  const [first, found] = [flows[0], flows[oldest]];
  if (first === undefined || found === undefined || found.oldestAt > overdueAt) return;
  flows[0] = found;
  flows[oldest] = first;
}
