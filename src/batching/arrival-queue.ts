import { Load } from '../cost/load.js';
import { ItemQueue } from './item-queue.js';
import type { Ahead, Entitled, WorkQueue } from './work-queue.js';

/** One queue in order of arrival, as if there were neither classes nor flows. */
export class ArrivalQueue<I extends Entitled<I>> implements WorkQueue<I> {
  readonly #items = new ItemQueue<I>();
  readonly #load = new Load();

  get size(): number {
    return this.#items.size;
  }

  push(item: I): void {
    this.#items.push(item);
    this.#load.add(item.tokens);
  }

  remove(item: I): void {
    this.#items.remove(item);
    this.#load.remove(item.tokens);
  }

  charge(): void {
    // Nobody has a share to use up.
  }

  putBack(item: I): void {
    this.#items.unshift(item);
    this.#load.add(item.tokens);
  }

  window(count: number): I[] {
    return this.#items.first(count);
  }

  anchored(): void {
    // The first item is always the oldest.
  }

  ahead(): Ahead {
    return { share: 1, classLoad: this.#load, flowLoad: this.#load, flows: 1 };
  }

  all(): I[] {
    return this.#items.first(Number.POSITIVE_INFINITY);
  }
}
