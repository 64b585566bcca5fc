import type { CostTracker } from './cost-tracker.js';
import type { LoadFacts } from './load.js';

/** The current limits on batches. */
export interface BatchLimits {
  readonly budgetTokens: number;
  readonly maxItems: number;
  /** Infinity: no limit. */
  readonly maxRunMs: number;
}

/**
 * Predicts how long one session takes for queued inputs, in milliseconds:
 *
 *   padding x sum of the inputs' own costs + base x batches
 *
 * where padding (padded over real tokens) is that of recent batches, and the number of batches is the least that the
 * token budget, the largest number of inputs and the longest run allow.
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
    // Every batch holds at least one input, however tight the limit.
    room > 0 ? Math.min(load.items, Math.ceil(loadMs / room)) : load.items,
  );
  return loadMs + baseMs * batches;
}
