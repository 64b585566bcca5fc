import type { CacheEntry, EntryFault, EntryShape } from './types.js';

/** Why the model cannot have produced this entry; undefined: it can have. */
export function entryFault(entry: CacheEntry, shape: EntryShape): EntryFault | undefined {
  const { logits, tokenCount } = entry;
  if (logits.length !== shape.labelCount) return 'labels';
  if (!Number.isInteger(tokenCount) || tokenCount < 1 || tokenCount > shape.maxTokens) return 'tokens';
  return logits.every(Number.isFinite) ? undefined : 'logits';
}
