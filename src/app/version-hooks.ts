import type { BatcherHooks } from '../batching/types.js';
import type { RuntimeHooks } from '../runtime/types.js';
import type { VersionHooks } from '../statistics/types.js';

/** The events of a version's batcher and sessions go to all who want them: the metrics, and what counts for the statistics. */
export function versionHooks(
  metrics: { readonly batcher: BatcherHooks; readonly runtime: RuntimeHooks },
  statistics: VersionHooks,
): { readonly batcher: BatcherHooks; readonly runtime: RuntimeHooks } {
  const { batcher, runtime } = metrics;
  return {
    batcher: {
      ...batcher,
      onBatch(batch) {
        batcher.onBatch?.(batch);
        statistics.batcher.onBatch(batch);
      },
    },
    runtime: {
      ...runtime,
      onInstanceReady(instance) {
        runtime.onInstanceReady?.(instance);
        statistics.runtime.onInstanceReady(instance);
      },
      onInstanceLost(instance) {
        runtime.onInstanceLost?.(instance);
        statistics.runtime.onInstanceLost(instance);
      },
    },
  };
}
