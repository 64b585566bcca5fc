import type { LoadFacts } from '../../cost/load.js';
import type { ServiceClass } from '../types.js';

/** What an input is queued by. */
export interface Queued {
  readonly tokens: number;
  /** When it came, on the batcher's clock. */
  readonly enqueuedAt: number;
  readonly serviceClass: ServiceClass;
  readonly flow: object | undefined;
}

/** What a new input of some class and flow would have before it. */
export interface Ahead {
  /** The part of the runners that its class would have. */
  readonly share: number;
  readonly classLoad: LoadFacts;
  /** What its own flow has queued. */
  readonly flowLoad: LoadFacts;
  /** How many flows of its weight would share the class; with weights, not a whole number. */
  readonly flows: number;
}

/** The queued inputs of a batcher, in the order of a policy. */
export interface WorkQueue<I extends Queued> {
  readonly size: number;
  push(input: I): void;
  /** Takes out an input of this queue. */
  remove(input: I): void;
  /** An input that was taken out is run, at the cost of whoever it belongs to. */
  charge(input: I): void;
  /** An input that was charged comes back to the front. */
  requeue(input: I): void;
  /**
   * What a batch may be chosen from, the most urgent input first, up to `count`.
   * @param lead tokens that others may be ahead of the first one's class and flow
   * @param overdueAt inputs that came then, or before, may go first out of turn; on the batcher's clock
   */
  window(count: number, lead: number, overdueAt: number): I[];
  /** A batch was chosen with this input as its first. To be told while the input is still in the queue. */
  anchored(input: I, now: number): void;
  ahead(serviceClass: ServiceClass, flow: object | undefined): Ahead;
  /** Everything, in no particular order. */
  all(): I[];
}
