import type { CostTracker } from './cost-tracker.js';

export interface DrainFacts {
  readonly queuedItems: number;
  /** Sum of the queued items' shares of a run, uncorrected. */
  readonly queuedPlainMs: number;
  readonly queuedTokens: number;
  /** What is left of the runs under way, summed over the runners. */
  readonly remainingMs: number;
  readonly runners: number;
  readonly budgetTokens: number;
  readonly maxItems: number;
}

/**
 * Predicts how long the runners take for all that runs and is queued, in milliseconds:
 *
 *   (remaining + factor x (padding x sum of the items' own costs + base x batches)) / runners
 *
 * where padding (padded over real tokens) and factor (measured over calibrated run time) are those of late batches, and
 * the batches are at least as many as the token budget and the largest number of items allow.
 */
export function forecastDrainMs(facts: DrainFacts, costs: CostTracker): number {
  const batches = Math.max(
    Math.ceil((facts.queuedTokens * costs.padding) / facts.budgetTokens),
    Math.ceil(facts.queuedItems / facts.maxItems),
  );
  const queuedMs = costs.factor * costs.padding * facts.queuedPlainMs + costs.curve.baseMs * batches;
  return (facts.remainingMs + queuedMs) / Math.max(1, facts.runners);
}
