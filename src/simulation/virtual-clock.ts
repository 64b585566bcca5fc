import type { Clock } from '../batching/clock.js';
import { TimerHeap, type VirtualTimer } from './timer-heap.js';

/** A clock that stands still until it is advanced: code on it takes no time except its waits. */
export class VirtualClock implements Clock {
  readonly #timers = new TimerHeap();
  #now = 0;
  #started = 0;
  #pending = 0;
  #deferred: (() => void)[] = [];

  /** Pending timers. */
  get pendingTimers(): number {
    return this.#pending;
  }

  now(): number {
    return this.#now;
  }

  startTimer(callback: () => void, delayMs: number): () => void {
    const timer = { at: this.#now + delayMs, order: this.#started++, callback, cancelled: false };
    this.#timers.push(timer);
    this.#pending++;
    return () => {
      if (timer.cancelled) return;
      timer.cancelled = true;
      this.#pending--;
    };
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** Runs everything that can run at this point in time. */
  async settle(): Promise<void> {
    do {
      for (const callback of this.#deferred.splice(0)) callback();
      // Runs after all promises that are settled by now, and those that they settle in turn.
      await new Promise<void>((resolve) => setImmediate(resolve));
    } while (this.#deferred.length > 0);
  }

  /** Advances the clock, stopping at each timer on the way. */
  async advance(byMs: number): Promise<void> {
    await this.settle();
    const until = this.#now + byMs;
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      await this.#goOff(next);
    }
    this.#now = until;
    await this.settle();
  }

  /** Advances the clock to the next timer and runs everything that it causes. Returns false if there is none. */
  async step(): Promise<boolean> {
    const next = this.#next();
    if (next === undefined) return false;
    await this.#goOff(next);
    return true;
  }

  #next(): VirtualTimer | undefined {
    let next = this.#timers.first;
    while (next?.cancelled) {
      this.#timers.shift();
      next = this.#timers.first;
    }
    return next;
  }

  async #goOff(timer: VirtualTimer): Promise<void> {
    this.#timers.shift();
    this.#pending--;
    // Cancelling it from here on must not count twice.
    timer.cancelled = true;
    this.#now = Math.max(this.#now, timer.at);
    timer.callback();
    await this.settle();
  }
}
