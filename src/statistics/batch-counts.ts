import type { BatcherHooks } from '../batching/types.js';
import type { BatchSizeCount, BatchStatistics } from './types.js';

type Batch = Parameters<NonNullable<BatcherHooks['onBatch']>>[0];

/** Batches, what was in them, and how large they were. Sizes are counted by powers of two, so that there are few whatever the settings. */
export class BatchCounts {
  #batches = 0;
  #inputs = 0;
  #tokens = 0;
  #paddedTokens = 0;
  #runMs = 0;
  /** By the power of two that no batch of the range exceeds. */
  readonly #sizes: number[] = [];

  add({ items, tokens, paddedTokens, runMs }: Batch): void {
    this.#batches++;
    this.#inputs += items;
    this.#tokens += tokens;
    this.#paddedTokens += paddedTokens;
    this.#runMs += runMs;
    const power = 32 - Math.clz32(items - 1);
    while (this.#sizes.length <= power) this.#sizes.push(0);
    this.#sizes[power] = (this.#sizes[power] ?? 0) + 1;
  }

  get totals(): BatchStatistics {
    return {
      batches: this.#batches,
      inputs: this.#inputs,
      tokens: this.#tokens,
      paddedTokens: this.#paddedTokens,
      runMs: this.#runMs,
      sizes: this.#sizes.map((batches, power): BatchSizeCount => ({ atMost: 2 ** power, batches })),
    };
  }
}
