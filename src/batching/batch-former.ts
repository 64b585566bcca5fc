import type { Backlog, FormedBatch } from './backlog.js';
import type { CostTracker } from './cost-tracker.js';
import type { EffectiveBudget } from './effective-budget.js';
import type { SelectBatch } from './policy.js';
import type { QueueItem } from './queue-item.js';
import type { RunCap } from './run-cap.js';
import type { BatcherOptions, CloseReason } from './types.js';

/** These batches cannot grow by waiting. */
const FULL: ReadonlySet<CloseReason> = new Set(['budget', 'items', 'run_time']);

export type FormingOptions = Pick<BatcherOptions, 'lookAhead' | 'maxBatchItems' | 'maxAgeMs' | 'maxDelayMs'>;

/**
 * How far others may be ahead of the most urgent class and flow and still join its batch, in batches. Nothing would hold
 * the lengths together, but also nothing would keep the shares, if this were far more than a batch.
 */
const LEAD_BUDGETS = 1;

/** Forms batches out of the queue by a policy. */
export class BatchFormer {
  readonly #select: SelectBatch;
  readonly #options: FormingOptions;
  readonly #costs: CostTracker;
  readonly #budget: EffectiveBudget;
  readonly #runCap: RunCap;

  constructor(
    select: SelectBatch,
    options: FormingOptions,
    costs: CostTracker,
    budget: EffectiveBudget,
    runCap: RunCap,
  ) {
    this.#select = select;
    this.#options = options;
    this.#costs = costs;
    this.#budget = budget;
    this.#runCap = runCap;
  }

  /**
   * The batch that the policy chooses now. It is still in the queue.
   * @param closing nothing more will come: there is no point in holding a batch back
   * @returns undefined when nothing is queued; a time, when the batch is held back until then
   */
  form<T, R>(
    backlog: Backlog<T, R>,
    idleRunners: number,
    now: number,
    closing: boolean,
  ): FormedBatch<T, R> | number | undefined {
    const { lookAhead, maxDelayMs } = this.#options;
    const budgetTokens = this.#budget.tokens(now);
    const { curve } = this.#costs;
    const window = backlog.window(lookAhead, budgetTokens * LEAD_BUDGETS);
    if (window.length === 0) return undefined;
    const { positions, reason } = this.#select(window, {
      now,
      queuedItems: backlog.queueLength,
      queuedTokens: backlog.bounds.tokens,
      idleRunners,
      budgetTokens,
      maxItems: this.#options.maxBatchItems,
      maxRunMs: this.#runCap.capMs(window, now, curve),
      maxAgeMs: this.#options.maxAgeMs,
      curve,
    });
    if (maxDelayMs > 0 && !closing && !FULL.has(reason)) {
      const heldUntil = oldestIn(window) + maxDelayMs;
      if (now < heldUntil) return heldUntil;
    }
    const items: QueueItem<T, R>[] = [];
    for (let i = 0; i < positions.length; i++) {
      const item = window[positions[i] ?? 0];
      if (item !== undefined) items.push(item);
    }
    return { items, reason };
  }
}

function oldestIn(window: readonly { readonly enqueuedAt: number }[]): number {
  let oldest = Number.POSITIVE_INFINITY;
  for (const { enqueuedAt } of window) oldest = Math.min(oldest, enqueuedAt);
  return oldest;
}
