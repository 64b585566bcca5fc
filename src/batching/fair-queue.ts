import { ClassQueue, type FlowQueue, type Queued } from './class-queue.js';
import type { ServiceClass } from './types.js';

/** What an item is entitled by. */
export interface Entitled<I extends Queued<I>> extends Queued<I> {
  readonly serviceClass: ServiceClass;
  readonly flow: object | undefined;
  /** Where it is queued; belongs to the queue. */
  lane: FlowQueue<I> | undefined;
}

/**
 * The queue of a batcher: two classes that share by weight, and inside each its flows, which share alike. Both levels are
 * start-time fair queueing in tokens (see {@link ClassQueue}), so every operation costs at most the logarithm of the
 * number of flows, and a window costs its own length.
 */
export class FairQueue<I extends Entitled<I>> {
  readonly #classes: Readonly<Record<ServiceClass, ClassQueue<I>>>;
  readonly #fair: boolean;

  /** @param fair false: one queue in order of arrival, as if there were neither classes nor flows */
  constructor(interactiveWeight: number, fair: boolean) {
    this.#classes = { interactive: new ClassQueue(interactiveWeight), bulk: new ClassQueue(1) };
    this.#fair = fair;
  }

  get size(): number {
    return this.#classes.interactive.load.items + this.#classes.bulk.load.items;
  }

  get tokens(): number {
    return this.#classes.interactive.load.tokens + this.#classes.bulk.load.tokens;
  }

  /** The part of the runners that a class has, or would have with another item: all where the other has none. */
  shareOf(serviceClass: ServiceClass): number {
    const { interactive, bulk } = this.#classes;
    const [own, other] = serviceClass === 'bulk' ? [bulk, interactive] : [interactive, bulk];
    return !this.#fair || other.load.items === 0 ? 1 : own.weight / (own.weight + other.weight);
  }

  /** The queue of a class; that of everything where there are no classes. */
  of(serviceClass: ServiceClass): ClassQueue<I> {
    return this.#fair ? this.#classes[serviceClass] : this.#classes.bulk;
  }

  /** What an item is told from others by within its class. */
  flowOf(flow: object | undefined): object | undefined {
    return this.#fair ? flow : undefined;
  }

  push(item: I): void {
    const own = this.of(item.serviceClass);
    if (own.load.items === 0) this.#activate(own);
    item.lane = own.push(item, this.flowOf(item.flow));
  }

  /** Takes out an item of this queue. */
  remove(item: I): void {
    if (item.lane !== undefined) this.of(item.serviceClass).remove(item, item.lane);
  }

  /** An item that was taken out is run, at the cost of its flow and its class. */
  charge(item: I): void {
    if (item.lane !== undefined) this.of(item.serviceClass).charge(item.lane, item.tokens);
  }

  /** An item that was charged comes back to the front of its flow. */
  putBack(item: I): void {
    const own = this.of(item.serviceClass);
    if (item.lane === undefined) this.push(item);
    else own.putBack(item, item.lane);
  }

  /**
   * What a batch may be chosen from, up to `count` items. The first one is the most urgent: of the class that has had
   * least for its weight, of the flow of it that has had least, the oldest item. The others are those that it may be
   * joined by: classes and flows that are further than `lead` tokens ahead of it are left out until it has caught up,
   * for nearest lengths alone could go on preferring them.
   *
   * A class that fills the batches of the other one keeps up in tokens without ever choosing the length. Where its oldest
   * item came at `overdueAt` or before, and none of its items was the first of a batch since, it goes first. The flows of
   * a class have the same problem and a like remedy: see {@link ClassQueue.window}.
   */
  window(count: number, lead: number, overdueAt: number): I[] {
    const { interactive, bulk } = this.#classes;
    if (interactive.load.items === 0) return bulk.window(count, lead, overdueAt);
    if (bulk.load.items === 0) return interactive.window(count, lead, overdueAt);
    const [ahead, behind] = interactive.pass <= bulk.pass ? [bulk, interactive] : [interactive, bulk];
    const outOfTurn = ahead.anchoredAt <= overdueAt && ahead.oldestAt <= overdueAt;
    const [first, second] = outOfTurn ? [ahead, behind] : [behind, ahead];
    if (second.pass > first.pass + lead) return first.window(count, lead, overdueAt);
    const items = first.window(count - Math.min(second.load.items, count >> 1), lead, overdueAt);
    for (const item of second.window(count - items.length, lead, overdueAt)) items.push(item);
    return items;
  }

  /** A batch was chosen with this item as its first. To be told while the item is still in the queue. */
  anchored(item: I, now: number): void {
    this.of(item.serviceClass).anchored(item, now);
  }

  /** Everything, a class after the other. */
  all(): I[] {
    const { interactive, bulk } = this.#classes;
    const all = Number.POSITIVE_INFINITY;
    return [...interactive.window(all, all, -all), ...bulk.window(all, all, -all)];
  }

  /** A class that comes in starts where the other one stands, unless it is further on. */
  #activate(own: ClassQueue<I>): void {
    const { interactive, bulk } = this.#classes;
    own.pass = Math.max(own.pass, (own === bulk ? interactive : bulk).pass);
  }
}
