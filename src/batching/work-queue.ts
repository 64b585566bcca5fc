import type { LoadFacts } from '../cost/load.js';
import type { FlowQueue, Queued } from './class-queue.js';
import type { ServiceClass } from './types.js';

/** What an item is entitled by. */
export interface Entitled<I extends Queued<I>> extends Queued<I> {
  readonly serviceClass: ServiceClass;
  readonly flow: object | undefined;
  /** Where it is queued; belongs to the queue. */
  lane: FlowQueue<I> | undefined;
}

/** What a new item of some class and flow would have before it. */
export interface Ahead {
  /** The part of the runners that its class would have. */
  readonly share: number;
  readonly classLoad: LoadFacts;
  /** What its own flow has queued. */
  readonly flowLoad: LoadFacts;
  /** How many flows would share the class. */
  readonly flows: number;
}

/** The queued items of a batcher, in the order of a policy. */
export interface WorkQueue<I extends Entitled<I>> {
  readonly size: number;
  push(item: I): void;
  /** Takes out an item of this queue. */
  remove(item: I): void;
  /** An item that was taken out is run, at the cost of whoever it belongs to. */
  charge(item: I): void;
  /** An item that was charged comes back to the front. */
  putBack(item: I): void;
  /**
   * What a batch may be chosen from, the most urgent item first, up to `count`.
   * @param lead tokens that others may be ahead of the first one's class and flow
   * @param overdueAt items that came then, or before, may go first out of turn; on the batcher's clock
   */
  window(count: number, lead: number, overdueAt: number): I[];
  /** A batch was chosen with this item as its first. To be told while the item is still in the queue. */
  anchored(item: I, now: number): void;
  ahead(serviceClass: ServiceClass, flow: object | undefined): Ahead;
  /** Everything, in no particular order. */
  all(): I[];
}
