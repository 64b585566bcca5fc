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

/**
 * An answer in the words of the contract. Predictions and timings have the same fields there, so they go as they
 * are: the encoder only reads.
 */
export function classificationMessage(answer: Classification): ClassificationMessage {
  return {
    predictions: answer.predictions as PredictionMessage[],
    model: answer.model,
    version: answer.version,
    tokenCount: answer.tokenCount,
    truncated: answer.truncated,
    cache: outcomes[answer.cache],
    timings: answer.timings,
  };
}
