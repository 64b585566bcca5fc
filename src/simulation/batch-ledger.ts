import type { BatcherHooks, CloseReason } from '../batching/types.js';
import { type Spread, spread } from './spread.js';

type Batch = Parameters<NonNullable<BatcherHooks['onBatch']>>[0];

/** The batches that ended after the warm-up. */
export interface BatchReport {
  readonly count: number;
  readonly items: Spread;
  /** In milliseconds. */
  readonly runMs: Spread;
  /** Padded over real tokens; 1 is none. */
  readonly padding: number;
  /** Number of batches by the reason they were closed. */
  readonly reasons: Readonly<Partial<Record<CloseReason, number>>>;
}

/** Keeps account of batches. */
export class BatchLedger {
  readonly #items: number[] = [];
  readonly #runs: number[] = [];
  readonly #reasons = new Map<CloseReason, number>();
  #tokens = 0;
  #padded = 0;

  add({ items, tokens, paddedTokens, runMs, reason }: Batch): void {
    this.#items.push(items);
    this.#runs.push(runMs);
    this.#tokens += tokens;
    this.#padded += paddedTokens;
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }

  report(): BatchReport {
    return {
      count: this.#items.length,
      items: spread(this.#items),
      runMs: spread(this.#runs),
      padding: this.#tokens === 0 ? 1 : this.#padded / this.#tokens,
      reasons: Object.fromEntries([...this.#reasons].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }
}
