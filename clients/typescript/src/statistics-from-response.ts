import type {
  StageTime as WireStageTime,
  VersionStatistics as WireStatistics,
} from '../../../generated/verdict/v1/model_statistics.js';
import type { StageTime, VersionStatistics } from './statistics-types.js';

/** Counts stay exact up to 2^53. */
export function toVersionStatistics(message: WireStatistics): VersionStatistics {
  const { cache, stages, batches } = message;
  return {
    version: message.version,
    since: message.since,
    lastUsed: message.lastUsed,
    answered: Number(message.answered),
    failed: Number(message.failed),
    cancelled: Number(message.cancelled),
    tokens: Number(message.tokens),
    failures: message.failures.map(({ code, inputs }) => ({ code, inputs: Number(inputs) })),
    cache: {
      miss: Number(cache?.miss ?? 0),
      lru: Number(cache?.lru ?? 0),
      redis: Number(cache?.redis ?? 0),
      coalesced: Number(cache?.coalesced ?? 0),
      bypassed: Number(cache?.bypassed ?? 0),
    },
    stages: {
      tokenize: toStageTime(stages?.tokenize),
      queue: toStageTime(stages?.queue),
      inference: toStageTime(stages?.inference),
      postprocess: toStageTime(stages?.postprocess),
      total: toStageTime(stages?.total),
    },
    batches: {
      batches: Number(batches?.batches ?? 0),
      inputs: Number(batches?.inputs ?? 0),
      tokens: Number(batches?.tokens ?? 0),
      paddedTokens: Number(batches?.paddedTokens ?? 0),
      runMs: batches?.runMs ?? 0,
      sizes: (batches?.sizes ?? []).map(({ atMost, batches: count }) => ({ atMost, batches: Number(count) })),
    },
    memoryBytes: Number(message.memoryBytes),
  };
}

function toStageTime(time: WireStageTime | undefined): StageTime {
  return { inputs: Number(time?.inputs ?? 0), totalMs: time?.totalMs ?? 0 };
}
