import { Load, type LoadFacts } from '../cost/load.js';
import type { ServiceClass } from './types.js';

/**
 * Bulk inputs may fill at most three quarters of the queue; so may inputs that wait outside when it is full, and, while
 * somebody waits outside, inputs that are refused when it is full. Of the latter one caller may fill no more either.
 * Saturating streams cannot shut out unary calls, batch calls cannot shut out either, and no caller can shut out the others.
 */
const LARGEST_SHARE = 0.75;

/** What of an item the bounds look at. */
export interface Bounded {
  readonly tokens: number;
  readonly whenFull: 'refuse' | 'wait';
  readonly serviceClass: ServiceClass;
  readonly flow: object | undefined;
}

/** What is queued (or set aside in a formed batch), and whether more may come in. */
export class QueueBounds implements LoadFacts {
  readonly #maxItems: number;
  readonly #maxTokens: number;
  readonly #byClass = { interactive: new Load(), bulk: new Load() };
  readonly #byWhenFull = { refuse: new Load(), wait: new Load() };
  /** What each caller has queued that would be refused if the queue were full. */
  readonly #byFlow = new Map<object, Load>();

  constructor(maxItems: number, maxTokens: number) {
    this.#maxItems = maxItems;
    this.#maxTokens = maxTokens;
  }

  get items(): number {
    return this.#byWhenFull.refuse.items + this.#byWhenFull.wait.items;
  }

  get tokens(): number {
    return this.#byWhenFull.refuse.tokens + this.#byWhenFull.wait.tokens;
  }

  get squares(): number {
    return this.#byWhenFull.refuse.squares + this.#byWhenFull.wait.squares;
  }

  /** What is queued of a class. */
  of(serviceClass: ServiceClass): LoadFacts {
    return this.#byClass[serviceClass];
  }

  /**
   * Whether the item may join the queue.
   * @param somebodyWaits whether there are items outside: only then do those that are refused leave room for them
   */
  admits(item: Bounded, somebodyWaits: boolean): boolean {
    if (this.items === 0) return true;
    if (this.items >= this.#maxItems || this.tokens + item.tokens > this.#maxTokens) return false;
    if (item.serviceClass === 'bulk' && !this.#leavesRoom(item, this.#byClass.bulk)) return false;
    if (item.whenFull === 'refuse') {
      const ofCaller = item.flow && this.#byFlow.get(item.flow);
      if (ofCaller !== undefined && !this.#leavesRoom(item, ofCaller)) return false;
      if (!somebodyWaits) return true;
    }
    return this.#leavesRoom(item, this.#byWhenFull[item.whenFull]);
  }

  enter(item: Bounded): void {
    this.#byClass[item.serviceClass].add(item.tokens);
    this.#byWhenFull[item.whenFull].add(item.tokens);
    if (item.flow !== undefined && item.whenFull === 'refuse') this.#loadOf(item.flow).add(item.tokens);
  }

  leave(item: Bounded): void {
    this.#byClass[item.serviceClass].remove(item.tokens);
    this.#byWhenFull[item.whenFull].remove(item.tokens);
    if (item.flow === undefined || item.whenFull !== 'refuse') return;
    const ofCaller = this.#loadOf(item.flow);
    ofCaller.remove(item.tokens);
    if (ofCaller.items === 0) this.#byFlow.delete(item.flow);
  }

  #loadOf(flow: object): Load {
    let load = this.#byFlow.get(flow);
    if (load === undefined) {
      load = new Load();
      this.#byFlow.set(flow, load);
    }
    return load;
  }

  #leavesRoom(item: Bounded, held: Load): boolean {
    if (held.items === 0) return true;
    return (
      held.items < Math.ceil(this.#maxItems * LARGEST_SHARE) &&
      held.tokens + item.tokens <= this.#maxTokens * LARGEST_SHARE
    );
  }
}
