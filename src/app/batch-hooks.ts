import type { BatcherHooks } from '../batching/types.js';
import type { BatchHooks } from '../statistics/types.js';

/** The events of a version's batcher go to the metrics, and its batches to the statistics as well. */
export function batchHooks(metrics: BatcherHooks, statistics: BatchHooks): BatcherHooks {
  return {
    ...metrics,
    onBatch(batch) {
      metrics.onBatch?.(batch);
      statistics.onBatch(batch);
    },
  };
}
