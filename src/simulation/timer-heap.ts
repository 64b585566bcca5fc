/** A callback that is due at one point in time. */
export interface VirtualTimer {
  readonly at: number;
  /** Timers for the same time fire in the order in which they were started. */
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/** A binary heap of timers, the next one first. */
export class TimerHeap {
  readonly #heap: VirtualTimer[] = [];

  get first(): VirtualTimer | undefined {
    return this.#heap[0];
  }

  push(timer: VirtualTimer): void {
    const heap = this.#heap;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, timer)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = timer;
  }

  /** Takes out the first one. */
  shift(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      const left = heap[below];
      if (left === undefined) break;
      let child = left;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, left)) {
        child = right;
        below++;
      }
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
  }
}

function isBefore(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
