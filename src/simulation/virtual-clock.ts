import type { Clock } from '../batching/clock.js';
import { TimerHeap, type VirtualTimer } from './timer-heap.js';

/** A clock that stands still until it is turned: what runs on it takes no time but what it waits for. */
export class VirtualClock implements Clock {
  readonly #timers = new TimerHeap();
  #now = 0;
  #started = 0;
  #pending = 0;
  #deferred: (() => void)[] = [];

  /** Timers that are neither called off nor gone off. */
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

  /** Lets all that can happen at this point in time happen. */
  async settle(): Promise<void> {
    do {
      for (const callback of this.#deferred.splice(0)) callback();
      // Comes after every promise that is settled by now, and those that these settle in turn.
      await new Promise<void>((resolve) => setImmediate(resolve));
    } while (this.#deferred.length > 0);
  }

  /** Turns the clock on, stopping at each timer on the way. */
  async advance(byMs: number): Promise<void> {
    await this.settle();
    const until = this.#now + byMs;
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      await this.#goOff(next);
    }
    this.#now = until;
    await this.settle();
  }

  /** Turns the clock to the next timer and lets happen what that brings about. Returns false where there is none. */
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
    // Calling it off from here on must not count twice.
    timer.cancelled = true;
    this.#now = Math.max(this.#now, timer.at);
    timer.callback();
    await this.settle();
  }
}
