import type { PackedJobs } from './packed-jobs.js';

/** Where a tokenizer is read from, and how much its model reads. */
export interface TokenizerSource {
  /** `tokenizer.json`. */
  readonly tokenizerJsonPath: string;
  /** `tokenizer_config.json`. The file may be missing. */
  readonly tokenizerConfigPath: string;
  /** Tokens that the model reads at most, special tokens included. */
  readonly maxTokens: number;
}

/** To the thread. It answers every message with one, in order. */
export type ThreadRequest =
  | { readonly kind: 'load'; readonly tokenizer: number; readonly source: TokenizerSource }
  | { readonly kind: 'encode'; readonly jobs: PackedJobs };

/** From the thread. */
export type ThreadReply =
  | { readonly kind: 'loaded'; readonly padId: number }
  | { readonly kind: 'failed'; readonly reason: string }
  | EncodedReply;

export interface EncodedReply {
  readonly kind: 'encoded';
  /** See packResults. */
  readonly results: Int32Array<ArrayBuffer>;
  /** What the tokenizer said of the first job that failed; undefined: none failed. */
  readonly failure: string | undefined;
}
