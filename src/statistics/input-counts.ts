import type { CacheOutcome } from '../cache/types.js';
import type { ClassifierHooks } from '../classify/types.js';
import { type ErrorCode, VerdictError } from '../errors.js';
import type { Stage, VersionStatistics } from './types.js';

export type EndedInput = Parameters<NonNullable<ClassifierHooks['onInput']>>[0];

class TimeSum {
  #inputs = 0;
  #totalMs = 0;

  add(ms: number): void {
    this.#inputs++;
    this.#totalMs += ms;
  }

  get sum(): { readonly inputs: number; readonly totalMs: number } {
    return { inputs: this.#inputs, totalMs: this.#totalMs };
  }
}

/** The inputs of a version: how they ended, and where their time went. Called once for each input, so that it only adds. */
export class InputCounts {
  #answered = 0;
  #tokens = 0;
  #lastUsed: number | undefined;
  readonly #now: () => number;
  readonly #errors = new Map<ErrorCode, number>();
  readonly #cache: Record<CacheOutcome, number> = { miss: 0, lru: 0, redis: 0, coalesced: 0, bypassed: 0 };
  readonly #stages: Readonly<Record<Stage, TimeSum>> = {
    tokenize: new TimeSum(),
    queue: new TimeSum(),
    inference: new TimeSum(),
    postprocess: new TimeSum(),
    total: new TimeSum(),
  };

  /** @param now Unix time in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  add({ outcome, tokens, timings, postprocessMs, totalMs, error }: EndedInput): void {
    this.#lastUsed = this.#now();
    if (outcome === 'error') {
      const code = error instanceof VerdictError ? error.code : 'internal';
      this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
      return;
    }
    this.#answered++;
    this.#tokens += tokens;
    this.#cache[outcome]++;
    const { tokenize, queue, inference, postprocess, total } = this.#stages;
    postprocess.add(postprocessMs);
    total.add(totalMs);
    // Who shares a computation has the times of another.
    if (timings === undefined || (outcome !== 'miss' && outcome !== 'bypassed')) return;
    tokenize.add(timings.tokenizeMs);
    queue.add(timings.queueMs);
    inference.add(timings.inferenceMs);
  }

  get totals(): Omit<VersionStatistics, 'version' | 'since' | 'batches'> {
    const { cancelled = 0, ...failures } = Object.fromEntries(this.#errors) as Partial<
      Record<ErrorCode, number>
    >;
    const byCode = Object.entries(failures).sort(([a], [b]) => (a < b ? -1 : 1)) as [ErrorCode, number][];
    const { tokenize, queue, inference, postprocess, total } = this.#stages;
    return {
      lastUsed: this.#lastUsed,
      answered: this.#answered,
      failed: byCode.reduce((sum, [, inputs]) => sum + inputs, 0),
      cancelled,
      tokens: this.#tokens,
      failures: new Map(byCode),
      cache: { ...this.#cache },
      stages: {
        tokenize: tokenize.sum,
        queue: queue.sum,
        inference: inference.sum,
        postprocess: postprocess.sum,
        total: total.sum,
      },
    };
  }
}
