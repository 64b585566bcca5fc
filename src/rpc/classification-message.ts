import {
  CacheOutcome as CacheOutcomeMessage,
  type Classification as ClassificationMessage,
  type Prediction as PredictionMessage,
  type Timings as TimingsMessage,
} from '../../generated/verdict/v1/classification.js';
import type { Identity } from '../auth/identity.js';
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
 *
 * Where an answer came from tells whether others asked the same, and so does what it took: it is for those with the scope.
 * @param identity undefined: callers have none, and see everything
 */
export function classificationMessage(
  answer: Classification,
  identity: Identity | undefined,
): ClassificationMessage {
  const seesOutcome = identity === undefined || identity.has('cache-outcomes');
  return {
    predictions: answer.predictions as PredictionMessage[],
    model: answer.model,
    version: answer.version,
    alias: answer.alias,
    tokenCount: answer.tokenCount,
    truncated: answer.truncated,
    cache: seesOutcome ? outcomes[answer.cache] : CacheOutcomeMessage.UNSPECIFIED,
    timings: seesOutcome ? timingsMessage(answer.timings) : undefined,
  };
}

function timingsMessage(timings: Classification['timings']): TimingsMessage {
  const { tokenizeMs, queueMs, inferenceMs, totalMs, batchSize } = timings;
  return {
    tokenizeMs: roundedMs(tokenizeMs),
    queueMs: roundedMs(queueMs),
    inferenceMs: roundedMs(inferenceMs),
    totalMs: roundedMs(totalMs),
    batchSize,
  };
}
