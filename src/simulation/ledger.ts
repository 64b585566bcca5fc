import { type Spread, spread } from './spread.js';
import type { Outcome } from './types.js';

/** The results of one class of inputs. */
export interface ClassReport {
  /** Inputs that arrived after the warm-up. */
  readonly arrivals: number;
  /** Number of inputs by outcome; each input has exactly one. */
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Answers per second, including late ones. */
  readonly throughput: number;
  /** Answers in time per second. */
  readonly goodput: number;
  /** From arrival to answer, for all answered inputs, late or not; in milliseconds. */
  readonly latencyMs: Spread;
  /** Of that, the wait for a session. */
  readonly queueMs: Spread;
}

/** Keeps account of one class of inputs: outcomes by arrival time, rates by answer time. */
export class Ledger {
  readonly #warmUpMs: number;
  readonly #outcomes = new Map<Outcome, number>();
  readonly #latencies: number[] = [];
  readonly #waits: number[] = [];
  #arrivals = 0;
  #answers = 0;
  #inTime = 0;

  constructor(warmUpMs: number) {
    this.#warmUpMs = warmUpMs;
  }

  arrived(atMs: number): void {
    if (atMs >= this.#warmUpMs) this.#arrivals++;
  }

  answered(arrivedAtMs: number, nowMs: number, queueMs: number, outcome: 'answered' | 'late'): void {
    if (nowMs >= this.#warmUpMs) {
      this.#answers++;
      if (outcome === 'answered') this.#inTime++;
    }
    if (arrivedAtMs < this.#warmUpMs) return;
    this.#count(outcome);
    this.#latencies.push(nowMs - arrivedAtMs);
    this.#waits.push(queueMs);
  }

  refused(arrivedAtMs: number, reason: Outcome): void {
    if (arrivedAtMs >= this.#warmUpMs) this.#count(reason);
  }

  /** @param seconds from the end of the warm-up to the end */
  report(seconds: number): ClassReport {
    return {
      arrivals: this.#arrivals,
      outcomes: Object.fromEntries([...this.#outcomes].sort(([a], [b]) => (a < b ? -1 : 1))),
      throughput: seconds > 0 ? this.#answers / seconds : 0,
      goodput: seconds > 0 ? this.#inTime / seconds : 0,
      latencyMs: spread(this.#latencies),
      queueMs: spread(this.#waits),
    };
  }

  #count(outcome: Outcome): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }
}
