import {
  CacheOutcome as CacheOutcomeMessage,
  type Classification as ClassificationMessage,
  type Prediction as PredictionMessage,
} from '../../generated/verdict/v1/classification.js';
import type { CacheOutcome } from '../cache/types.js';
import type { Classification } from '../classify/types.js';

const outcomes = {
  miss: CacheOutcomeMessage.MISS,
  lru: CacheOutcomeMessage.LRU,
  redis: CacheOutcomeMessage.REDIS,
  coalesced: CacheOutcomeMessage.COALESCED,
  bypassed: CacheOutcomeMessage.BYPASSED,
} as const satisfies Record<CacheOutcome, CacheOutcomeMessage>;

/** To the microsecond: what a clock says beyond that is noise, and fifteen digits long in JSON. */
export function roundedMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/**
 * An answer in the words of the contract. Predictions have the same fields there, so they go as they are: the encoder
 * only reads.
 */
export function classificationMessage(answer: Classification): ClassificationMessage {
  const { tokenizeMs, queueMs, inferenceMs, totalMs, batchSize } = answer.timings;
  return {
    predictions: answer.predictions as PredictionMessage[],
    model: answer.model,
    version: answer.version,
    tokenCount: answer.tokenCount,
    truncated: answer.truncated,
    cache: outcomes[answer.cache],
    timings: {
      tokenizeMs: roundedMs(tokenizeMs),
      queueMs: roundedMs(queueMs),
      inferenceMs: roundedMs(inferenceMs),
      totalMs: roundedMs(totalMs),
      batchSize,
    },
  };
}
