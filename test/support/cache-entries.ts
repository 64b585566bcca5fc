import type { CacheEntry, Computed } from '../../src/cache/types.js';

/** An entry with these logits. */
export function entryOf(...logits: number[]): CacheEntry {
  return { logits: Float32Array.from(logits), tokenCount: 7, truncated: false };
}

/** A computation that ended with these logits. */
export function computedOf(...logits: number[]): Computed {
  return {
    entry: entryOf(...logits),
    timings: { tokenizeMs: 1, queueMs: 2, inferenceMs: 3, batchSize: 4 },
  };
}
