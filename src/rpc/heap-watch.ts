import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** How full the heap may be, after it has been collected, before callers have to give way. */
const maxUse = 0.85;

/** The collections after which nothing is left but what is alive. */
const { NODE_PERFORMANCE_GC_MAJOR: major } = constants;

/**
 * Notices that the heap is nearly full, before V8 aborts the process. It is looked at after collections of the whole heap
 * alone: before one, a heap may be full of what nobody uses any more.
 *
 * @returns ends the watch
 */
export function watchHeap(onNearlyFull: () => void): () => void {
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (kindOf(entry) !== major) continue;
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      if (used > maxUse * limit) onNearlyFull();
      return;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}

/** Node tells the kind in `detail`, which the types of the web do not have. */
function kindOf(entry: object): unknown {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined;
  return typeof detail === 'object' && detail !== null && 'kind' in detail ? detail.kind : undefined;
}
