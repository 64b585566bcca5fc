import { Alarm } from './alarm.js';
import type { Clock } from './clock.js';

/** What has a deadline. `heapIndex` belongs to the timer; it starts at -1. */
export interface Timed {
  readonly deadlineAt: number;
  heapIndex: number;
}

/**
 * One timer for all deadlines: a binary heap by deadline, whose entries know their place, so that adding and removing
 * cost O(log n) and nothing stays behind. The timer is moved only to an earlier time: of the many items that are
 * answered long before their deadline none starts or stops one.
 */
export class DeadlineTimer<I extends Timed> {
  readonly #heap: I[] = [];
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #onDue: (item: I) => void;

  /** `onDue` is called with the item already removed; it may add it again. */
  constructor(clock: Clock, onDue: (item: I) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
    this.#alarm = new Alarm(clock, () => this.sweep());
  }

  get size(): number {
    return this.#heap.length;
  }

  add(item: I): void {
    if (item.deadlineAt === Number.POSITIVE_INFINITY) return;
    this.#heap.push(item);
    this.#rise(item, this.#heap.length - 1);
    if (item.deadlineAt < this.#alarm.at) this.#alarm.set(item.deadlineAt);
  }

  /** Does nothing for an item that is not there. */
  remove(item: I): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    const parent = this.#heap[(index - 1) >> 1];
    if (index > 0 && parent !== undefined && parent.deadlineAt > last.deadlineAt) this.#rise(last, index);
    else this.#sink(last, index);
  }

  /** Takes out what is due now, and sets the timer for the next. */
  sweep(): void {
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first !== undefined && first.deadlineAt <= now; first = this.#heap[0]) {
      this.remove(first);
      this.#onDue(first);
    }
    const next = this.#heap[0]?.deadlineAt;
    if (next !== undefined && next < this.#alarm.at) this.#alarm.set(next);
  }

  /** Stops the timer. */
  stop(): void {
    this.#alarm.cancel();
  }

  #rise(item: I, from: number): void {
    const heap = this.#heap;
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.deadlineAt <= item.deadlineAt) break;
      heap[index] = parent;
      parent.heapIndex = index;
      index = above;
    }
    heap[index] = item;
    item.heapIndex = index;
  }

  #sink(item: I, from: number): void {
    const heap = this.#heap;
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      const left = heap[below];
      if (left === undefined) break;
      let child = left;
      const right = heap[below + 1];
      if (right !== undefined && right.deadlineAt < left.deadlineAt) {
        child = right;
        below++;
      }
      if (child.deadlineAt >= item.deadlineAt) break;
      heap[index] = child;
      child.heapIndex = index;
      index = below;
    }
    heap[index] = item;
    item.heapIndex = index;
  }
}
