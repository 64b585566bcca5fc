import type { CostTracker } from './cost-tracker.js';
import type { LoadFacts } from './load.js';

/** What holds for batches now. */
export interface BatchLimits {
  readonly budgetTokens: number;
  readonly maxItems: number;
  /** Infinity: no cap. */
  readonly maxRunMs: number;
}

/**
 * Predicts how long one runner takes for queued items, in milliseconds:
 *
 *   padding x sum of the items' own costs + base x batches
 *
 * where padding (padded over real tokens) is that of late batches, and the batches are at least as many as the token
 * budget, the largest number of items and the longest run allow.
 */
export function forecastDrainMs(load: LoadFacts, limits: BatchLimits, costs: CostTracker): number {
  if (load.items === 0) return 0;
  const loadMs = costs.loadMs(load);
  const { baseMs } = costs.curve;
  const room = limits.maxRunMs - baseMs;
  const batches = Math.max(
    1,
    Math.ceil((load.tokens * costs.padding) / limits.budgetTokens),
    Math.ceil(load.items / limits.maxItems),
    // No batch holds less than one item, however tight the cap.
    room > 0 ? Math.min(load.items, Math.ceil(loadMs / room)) : load.items,
  );
  return loadMs + baseMs * batches;
}
