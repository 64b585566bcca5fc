import { TieredResultCache } from '../../../src/cache/tiered-result-cache.js';
import type { Computed, ResultCache } from '../../../src/cache/types.js';
import type { InputRequest } from '../../../src/classify/types.js';
import type { ComparableVersion } from '../../../src/comparison/types.js';

/** A version of `tone` that computes what it is told. */
export class ToldVersion implements ComparableVersion {
  readonly name = 'tone';
  readonly labels: readonly string[] = ['bad', 'good'];
  readonly problemType = 'single_label_classification';
  readonly appliedActivation = undefined;
  readonly defaultTruncation = 'end';
  readonly entryShape = { labelCount: 2, maxTokens: 8 };
  readonly asked: string[] = [];
  nextQueueFill = 0;

  constructor(
    readonly version: string,
    /** Logits by text; an error is thrown. */
    readonly answer: (text: string) => readonly number[] | Error | Promise<readonly number[]>,
    readonly digest = `sha256:${version}`,
  ) {}

  cacheKey({ text }: { readonly text: string }, truncation: string, keyspace: string): string {
    return [this.digest, keyspace, truncation, text].join('|');
  }

  async compute({ text }: { readonly text: string }): Promise<Computed> {
    this.asked.push(text);
    const found = await this.answer(text);
    if (found instanceof Error) throw found;
    return {
      entry: { logits: Float32Array.from(found), tokenCount: 3, truncated: false },
      timings: { tokenizeMs: 1, queueMs: 9, inferenceMs: 2, batchSize: 1 },
    };
  }
}

/** What a cache without tiers does. */
export const noCache: Pick<ResultCache, 'resolve'> = new TieredResultCache({});

export const requestOf = (text: string, more: Partial<InputRequest> = {}): InputRequest => ({
  ...{ model: 'tone', version: '', input: { text } },
  options: { topK: 1, minScore: undefined, activation: undefined, truncation: undefined, cache: 'use' },
  ...more,
});
