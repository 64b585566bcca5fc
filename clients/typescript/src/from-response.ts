import {
  CacheOutcome as WireCacheOutcome,
  type Classification as WireClassification,
} from '../../../generated/verdict/v1/classification.js';
import type { CacheOutcome, Classification, Timings } from './types.js';

const CACHE_OUTCOMES = {
  [WireCacheOutcome.UNSPECIFIED]: 'unknown',
  [WireCacheOutcome.MISS]: 'miss',
  [WireCacheOutcome.LRU]: 'lru',
  [WireCacheOutcome.REDIS]: 'redis',
  [WireCacheOutcome.COALESCED]: 'coalesced',
  [WireCacheOutcome.BYPASSED]: 'bypassed',
  [WireCacheOutcome.UNRECOGNIZED]: 'unknown',
} as const satisfies Record<WireCacheOutcome, CacheOutcome>;

const NO_TIMINGS: Timings = { tokenizeMs: 0, queueMs: 0, inferenceMs: 0, totalMs: 0, batchSize: 0 };

export function toCacheOutcome(outcome: WireCacheOutcome): CacheOutcome {
  return CACHE_OUTCOMES[outcome] ?? 'unknown';
}

/** The message is this call's own, so its parts are taken over, not copied. */
export function toClassification(message: WireClassification): Classification {
  const best = message.predictions[0];
  return {
    label: best?.label,
    score: best?.score,
    predictions: message.predictions,
    model: message.model,
    version: message.version,
    alias: message.alias,
    tokenCount: message.tokenCount,
    truncated: message.truncated,
    cache: toCacheOutcome(message.cache),
    timings: message.timings ?? NO_TIMINGS,
  };
}
