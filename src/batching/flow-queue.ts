import { Load } from '../cost/load.js';
import type { HeapEntry } from './indexed-heap.js';
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
