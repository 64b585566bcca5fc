import { ClassQueue } from './class-queue.js';
import type { ServiceClass } from './types.js';
import type { Ahead, Entitled, WorkQueue } from './work-queue.js';

/**
 * The queue of a batcher: two classes that share by weight, and inside each its flows, which share alike. Both levels are
 * start-time fair queueing in tokens (see {@link ClassQueue}), so every operation costs at most the logarithm of the
 * number of flows, and a window costs its own length.
 */
export class FairQueue<I extends Entitled<I>> implements WorkQueue<I> {
  readonly #classes: Readonly<Record<ServiceClass, ClassQueue<I>>>;

  /** @param interactiveWeight tokens that the interactive class gets for each token of the bulk class */
  constructor(interactiveWeight: number) {
    this.#classes = { interactive: new ClassQueue(interactiveWeight), bulk: new ClassQueue(1) };
  }

  get size(): number {
    return this.#classes.interactive.load.items + this.#classes.bulk.load.items;
  }

  ahead(serviceClass: ServiceClass, flow: object | undefined): Ahead {
    const { interactive, bulk } = this.#classes;
    const [own, other] = serviceClass === 'bulk' ? [bulk, interactive] : [interactive, bulk];
    return {
      share: other.load.items === 0 ? 1 : own.weight / (own.weight + other.weight),
      classLoad: own.load,
      flowLoad: own.loadOf(flow),
      flows: own.flowsWith(flow),
    };
  }

  push(item: I): void {
    const own = this.#classes[item.serviceClass];
    if (own.load.items === 0) this.#activate(own);
    item.lane = own.push(item, item.flow);
  }

  remove(item: I): void {
    if (item.lane !== undefined) this.#classes[item.serviceClass].remove(item, item.lane);
  }

  charge(item: I): void {
    if (item.lane !== undefined) this.#classes[item.serviceClass].charge(item.lane, item.tokens);
  }

  putBack(item: I): void {
    const own = this.#classes[item.serviceClass];
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

  anchored(item: I, now: number): void {
    this.#classes[item.serviceClass].anchored(item, now);
  }

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
