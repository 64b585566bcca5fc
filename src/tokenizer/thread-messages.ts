import type { PackedJobs } from './packed-jobs.js';
import type { TokenizerFiles } from './tokenizer-files.js';

/** To the thread. It answers every message with one, in order. */
export type ThreadRequest =
  | { readonly kind: 'load'; readonly tokenizer: number; readonly files: TokenizerFiles }
  | { readonly kind: 'unload'; readonly tokenizer: number }
  | { readonly kind: 'encode'; readonly jobs: PackedJobs };

/** From the thread. */
export type ThreadReply =
  | { readonly kind: 'loaded'; readonly padId: number }
  | { readonly kind: 'unloaded' }
  | { readonly kind: 'failed'; readonly reason: string }
  | EncodedReply;

export interface EncodedReply {
  readonly kind: 'encoded';
  /** See packResults. */
  readonly results: Int32Array<ArrayBuffer>;
  /** The tokenizer's error for the first failed job; undefined: none failed. */
  readonly failure: string | undefined;
}
