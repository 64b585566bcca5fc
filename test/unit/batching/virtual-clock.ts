import type { Clock } from '../../../src/batching/clock.js';

/** A clock that stands still until a test turns it. */
export class VirtualClock implements Clock {
  #now = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];
  #deferred: (() => void)[] = [];

  get pendingTimers(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  startTimer(callback: () => void, delayMs: number): () => void {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** Lets all that can happen at this point in time happen. */
  async settle(): Promise<void> {
    do {
      for (const callback of this.#deferred.splice(0)) callback();
      await new Promise<void>((resolve) => setImmediate(resolve));
    } while (this.#deferred.length > 0);
  }

  /** Turns the clock on, stopping at each timer on the way. */
  async advance(byMs: number): Promise<void> {
    await this.settle();
    const until = this.#now + byMs;
    for (let next = this.#nextUntil(until); next !== undefined; next = this.#nextUntil(until)) {
      const due = next;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
      await this.settle();
    }
    this.#now = until;
    await this.settle();
  }

  #nextUntil(until: number): { readonly at: number; readonly callback: () => void } | undefined {
    return this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
  }
}
