import { Load } from '../../cost/load.js';
import { type Linked, LinkedQueue } from './linked-queue.js';
import type { Ahead, Queued, WorkQueue } from './work-queue.js';

/** One queue in order of arrival, as if there were neither classes nor flows. */
export class ArrivalQueue<I extends Queued & Linked<I>> implements WorkQueue<I> {
  readonly #inputs = new LinkedQueue<I>();
  readonly #load = new Load();

  get size(): number {
    return this.#inputs.size;
  }

  push(input: I): void {
    this.#inputs.push(input);
    this.#load.add(input.tokens);
  }

  remove(input: I): void {
    this.#inputs.remove(input);
    this.#load.remove(input.tokens);
  }

  charge(): void {
    // Nobody has a share to use up.
  }

  requeue(input: I): void {
    this.#inputs.unshift(input);
    this.#load.add(input.tokens);
  }

  window(count: number): I[] {
    return this.#inputs.first(count);
  }

  anchored(): void {
    // The first input is always the oldest.
  }

  ahead(): Ahead {
    return { share: 1, classLoad: this.#load, flowLoad: this.#load, flows: 1 };
  }

  all(): I[] {
    return this.#inputs.first(Number.POSITIVE_INFINITY);
  }
}
