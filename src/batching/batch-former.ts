import type { Backlog, FormedBatch } from './backlog.js';
import type { CostTracker } from './cost-tracker.js';
import type { EffectiveBudget } from './effective-budget.js';
import type { SelectBatch } from './policy.js';
import type { QueueItem } from './queue-item.js';
import type { BatcherOptions, CloseReason } from './types.js';

/** These batches cannot grow by waiting. */
const FULL: ReadonlySet<CloseReason> = new Set(['budget', 'items', 'run_time']);

export type FormingOptions = Pick<
  BatcherOptions,
  'lookAhead' | 'maxBatchItems' | 'maxRunMs' | 'maxAgeMs' | 'maxDelayMs'
>;

/** Forms batches out of the queue by a policy. */
export class BatchFormer {
  readonly #select: SelectBatch;
  readonly #options: FormingOptions;
  readonly #costs: CostTracker;
  readonly #budget: EffectiveBudget;

  constructor(select: SelectBatch, options: FormingOptions, costs: CostTracker, budget: EffectiveBudget) {
    this.#select = select;
    this.#options = options;
    this.#costs = costs;
    this.#budget = budget;
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
    const window = backlog.window(this.#options.lookAhead);
    const [oldest] = window;
    if (oldest === undefined) return undefined;
    const { positions, reason } = this.#select(window, {
      now,
      queuedItems: backlog.queueLength,
      queuedTokens: backlog.bounds.tokens,
      idleRunners,
      budgetTokens: this.#budget.tokens(now),
      maxItems: this.#options.maxBatchItems,
      maxRunMs: this.#options.maxRunMs > 0 ? this.#options.maxRunMs : Number.POSITIVE_INFINITY,
      maxAgeMs: this.#options.maxAgeMs,
      curve: this.#costs.curve,
    });
    const heldUntil = oldest.enqueuedAt + this.#options.maxDelayMs;
    if (now < heldUntil && !closing && !FULL.has(reason)) return heldUntil;
    const items: QueueItem<T, R>[] = [];
    for (let i = 0; i < positions.length; i++) {
      const item = window[positions[i] ?? 0];
      if (item !== undefined) items.push(item);
    }
    return { items, reason };
  }
}
