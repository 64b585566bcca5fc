import type { Clock } from '../batching/clock.js';
import { DeadlineTimer, type Timed } from '../batching/queueing/deadline-timer.js';
import type { Claim } from '../claim.js';
import { deadlineExceeded } from '../errors.js';

/** What somebody claims who waits for a model to be loaded. */
export type LoadClaim = Pick<Claim, 'signal' | 'deadlineAt' | 'serviceClass' | 'trace'>;

/** How many may wait for one model. */
export interface WaiterBounds {
  readonly waiters: number;
  readonly bytes: number;
}

/** Bulk inputs leave this much room to interactive ones. */
const BULK_SHARE = 0.75;

interface Waiter extends Timed {
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** All who wait for the same load, so many at most. Whoever leaves is forgotten at once. */
export class LoadWaiters {
  readonly #bounds: WaiterBounds;
  readonly #waiters = new Set<Waiter>();
  readonly #deadlines: DeadlineTimer<Waiter>;
  #bytes = 0;

  constructor(bounds: WaiterBounds, clock: Clock) {
    this.#bounds = bounds;
    this.#deadlines = new DeadlineTimer<Waiter>(clock, (waiter) => waiter.reject(deadlineExceeded()));
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Whether one more may wait. @param bytes that it holds meanwhile */
  hasRoom(serviceClass: LoadClaim['serviceClass'], bytes: number): boolean {
    const share = serviceClass === 'bulk' ? BULK_SHARE : 1;
    return (
      this.#waiters.size < this.#bounds.waiters * share && this.#bytes + bytes <= this.#bounds.bytes * share
    );
  }

  /**
   * Waits for the end of the load.
   * @param bytes that are held meanwhile
   * @throws what the load failed with; the signal's reason; VerdictError deadline_exceeded. By rejection
   */
  wait({ signal, deadlineAt }: LoadClaim, bytes: number): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        this.#deadlines.remove(waiter);
        this.#bytes -= bytes;
        signal.removeEventListener('abort', abort);
      };
      const abort = (): void => waiter.reject(signal.reason);
      const waiter: Waiter = {
        deadlineAt,
        heapIndex: -1,
        bytes,
        resolve: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      this.#bytes += bytes;
      this.#deadlines.add(waiter);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** The model is loaded. */
  resolve(): void {
    for (const waiter of this.#waiters) waiter.resolve();
    this.#deadlines.stop();
  }

  /** The model cannot be loaded. */
  reject(error: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#deadlines.stop();
  }
}
