import type { CacheEntry, Computed, EntryShape } from '../../src/cache/types.js';

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

/** The shape of entries with that many logits, of a model that takes 512 tokens. */
export function shapeOf(labelCount: number): EntryShape {
  return { labelCount, maxTokens: 512 };
}
