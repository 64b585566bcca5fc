import type { Clock } from '../batching/clock.js';
import { LoadWaiters, type WaiterBounds } from './load-waiters.js';

/** How long a model is still loaded for those who were told to come back, once they should have, in milliseconds. */
const RETURN_MS = 10_000;

/** That a model is wanted that is not loaded, and everybody who waits for it. */
export class ModelDemand {
  readonly model: string;
  readonly waiters: LoadWaiters;
  /** Since when it is being loaded, in milliseconds; undefined: others come first, or there is no room yet. */
  loadingSince: number | undefined;
  #returnBy = Number.NEGATIVE_INFINITY;

  constructor(model: string, bounds: WaiterBounds, clock: Clock) {
    this.model = model;
    this.waiters = new LoadWaiters(bounds, clock);
  }

  /** Somebody was told to come back then. */
  expectBack(at: number): void {
    this.#returnBy = Math.max(this.#returnBy, at + RETURN_MS);
  }

  /** Whether anybody waits, or is expected back. */
  isWanted(now: number): boolean {
    return this.waiters.size > 0 || now < this.#returnBy;
  }
}
