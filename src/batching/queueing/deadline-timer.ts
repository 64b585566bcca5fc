import { Alarm, type Clock } from '../clock.js';
import { type HeapEntry, IndexedHeap } from './indexed-heap.js';

/** What has a deadline. `heapIndex` belongs to the timer; it starts at -1. */
export interface Timed extends HeapEntry {
  readonly deadlineAt: number;
}

/**
 * One timer for all deadlines: a heap by deadline, so that adding and removing cost O(log n) and nothing stays behind.
 * The timer is moved only to an earlier time: of the many inputs that are answered long before their deadline none starts
 * or stops one.
 */
export class DeadlineTimer<I extends Timed> {
  readonly #heap = new IndexedHeap<I>((input) => input.deadlineAt);
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #onDue: (input: I) => void;

  /** `onDue` is called with the input already removed; it may add it again. */
  constructor(clock: Clock, onDue: (input: I) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
    this.#alarm = new Alarm(clock, () => this.sweep());
  }

  get size(): number {
    return this.#heap.size;
  }

  add(input: I): void {
    if (input.deadlineAt === Number.POSITIVE_INFINITY) return;
    this.#heap.add(input);
    if (input.deadlineAt < this.#alarm.at) this.#alarm.set(input.deadlineAt);
  }

  /** Does nothing for an input that is not there. */
  remove(input: I): void {
    this.#heap.remove(input);
  }

  /** Takes out what is due now, and sets the timer for the next. */
  sweep(): void {
    const now = this.#clock.now();
    const heap = this.#heap;
    for (let first = heap.first; first !== undefined && first.deadlineAt <= now; first = heap.first) {
      heap.remove(first);
      this.#onDue(first);
    }
    const next = heap.first?.deadlineAt;
    if (next !== undefined && next < this.#alarm.at) this.#alarm.set(next);
  }

  /** Stops the timer. */
  stop(): void {
    this.#alarm.cancel();
  }
}
