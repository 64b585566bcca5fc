import { Load, type LoadFacts } from '../../cost/load.js';
import type { ServiceClass } from '../types.js';

/**
 * Bulk inputs may fill at most three quarters of the queue; so may inputs that wait in the overflow when it is full, and,
 * while somebody waits there, inputs that are refused when it is full. Of the latter one caller may fill no more either.
 * Saturating streams cannot shut out unary calls, batch calls cannot shut out either, and no caller can shut out the others.
 */
const LARGEST_SHARE = 0.75;

/** What of an input the bounds look at. */
export interface Bounded {
  readonly tokens: number;
  readonly whenFull: 'refuse' | 'wait';
  readonly serviceClass: ServiceClass;
  readonly flow: object | undefined;
}

/** What is queued (or in a prepared batch), and whether more may be admitted. */
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

  /** How much of it is taken once one more input is in: of the inputs or of the tokens, whichever is more. 1: all. */
  get nextFill(): number {
    return Math.max((this.items + 1) / this.#maxItems, this.tokens / this.#maxTokens);
  }

  /** What is queued of a class. */
  of(serviceClass: ServiceClass): LoadFacts {
    return this.#byClass[serviceClass];
  }

  /**
   * Whether the input may join the queue.
   * @param somebodyWaits whether the overflow holds any: only then do those that are refused leave room for them
   */
  admits(input: Bounded, somebodyWaits: boolean): boolean {
    if (this.items === 0) return true;
    if (this.items >= this.#maxItems || this.tokens + input.tokens > this.#maxTokens) return false;
    if (input.serviceClass === 'bulk' && !this.#leavesRoom(input, this.#byClass.bulk)) return false;
    if (input.whenFull === 'refuse') {
      const ofCaller = input.flow && this.#byFlow.get(input.flow);
      if (ofCaller !== undefined && !this.#leavesRoom(input, ofCaller)) return false;
      if (!somebodyWaits) return true;
    }
    return this.#leavesRoom(input, this.#byWhenFull[input.whenFull]);
  }

  enter(input: Bounded): void {
    this.#byClass[input.serviceClass].add(input.tokens);
    this.#byWhenFull[input.whenFull].add(input.tokens);
    if (input.flow !== undefined && input.whenFull === 'refuse') this.#loadOf(input.flow).add(input.tokens);
  }

  leave(input: Bounded): void {
    this.#byClass[input.serviceClass].remove(input.tokens);
    this.#byWhenFull[input.whenFull].remove(input.tokens);
    if (input.flow === undefined || input.whenFull !== 'refuse') return;
    const ofCaller = this.#loadOf(input.flow);
    ofCaller.remove(input.tokens);
    if (ofCaller.items === 0) this.#byFlow.delete(input.flow);
  }

  #loadOf(flow: object): Load {
    let load = this.#byFlow.get(flow);
    if (load === undefined) {
      load = new Load();
      this.#byFlow.set(flow, load);
    }
    return load;
  }

  #leavesRoom(input: Bounded, held: Load): boolean {
    if (held.items === 0) return true;
    return (
      held.items < Math.ceil(this.#maxItems * LARGEST_SHARE) &&
      held.tokens + input.tokens <= this.#maxTokens * LARGEST_SHARE
    );
  }
}
