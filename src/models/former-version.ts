import type { CacheKey, EntryShape, Keyspace } from '../cache/types.js';
import type { Truncation } from '../tokenizer/types.js';
import type { AppliedActivation, ModelVersionView, ProblemType } from './types.js';

/**
 * What is kept of a version once it is unloaded: enough to tell of it, and to find its answers in the cache and shape them. Small:
 * neither its sessions nor its tokeniser are behind it.
 */
export interface FormerVersion<I> {
  readonly name: string;
  readonly version: string;
  /** What its folder looked like: one that looks the same still holds this version. */
  readonly folderIdentity: string;
  readonly digest: string;
  readonly labels: readonly string[];
  readonly problemType: ProblemType;
  readonly appliedActivation: AppliedActivation | undefined;
  readonly defaultTruncation: Truncation;
  readonly entryShape: EntryShape;
  /** What was told of it when it was loaded. */
  readonly view: ModelVersionView;
  cacheKey(input: I, truncation: Truncation, keyspace: Keyspace): CacheKey;
}
