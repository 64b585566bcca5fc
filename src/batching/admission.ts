import type { VerdictError } from '../errors.js';
import type { Backlog } from './backlog.js';
import type { CostTracker } from './cost-tracker.js';
import { forecastDrainMs } from './drain-forecast.js';
import type { EffectiveBudget } from './effective-budget.js';
import type { QueueItem } from './queue-item.js';
import { deadlineExceeded, deadlineUnreachable, noInstance, queueFull } from './rejections.js';
import type { RunnerPool } from './runner-pool.js';
import type { BatcherHooks } from './types.js';

/** What a refusal suggests as long as no run has told what runs cost. */
const FALLBACK_RETRY_MS = 100;

/** Decides on arrival whether an item is taken in, by what is queued and what that will cost. */
export class Admission<T, R> {
  readonly #backlog: Backlog<T, R>;
  readonly #runners: RunnerPool<T, R>;
  readonly #costs: CostTracker;
  readonly #budget: EffectiveBudget;
  readonly #maxBatchItems: number;
  readonly #hooks: BatcherHooks;

  constructor(
    parts: {
      readonly backlog: Backlog<T, R>;
      readonly runners: RunnerPool<T, R>;
      readonly costs: CostTracker;
      readonly budget: EffectiveBudget;
      readonly maxBatchItems: number;
    },
    hooks: BatcherHooks,
  ) {
    this.#backlog = parts.backlog;
    this.#runners = parts.runners;
    this.#costs = parts.costs;
    this.#budget = parts.budget;
    this.#maxBatchItems = parts.maxBatchItems;
    this.#hooks = hooks;
  }

  /** How long all that runs and is queued will take, in milliseconds; 0 as long as nothing tells what runs cost. */
  predictedWaitMs(now: number): number {
    if (!this.#costs.known) return 0;
    const { bounds } = this.#backlog;
    return forecastDrainMs(
      {
        queuedItems: bounds.items,
        queuedTokens: bounds.tokens,
        queuedPlainMs: bounds.plainMs,
        remainingMs: this.#runners.remainingMs(),
        runners: this.#runners.size,
        budgetTokens: this.#budget.tokens(now),
        maxItems: this.#maxBatchItems,
      },
      this.#costs,
    );
  }

  /**
   * The error that the item is refused with, told to the hooks; undefined: it may come in, or wait outside. A deadline
   * is judged by measured costs only, and only for items that would rather be refused than wait.
   */
  refusal(item: QueueItem<T, R>, now: number): VerdictError | undefined {
    if (this.#runners.absent) return this.#shed('no_instance', noInstance());
    if (item.deadlineAt <= now) return this.#shed('expired', deadlineExceeded());
    if (item.whenFull === 'wait') return undefined;
    if (!this.#backlog.admits(item)) return this.#shed('queue_full', queueFull(this.#retryAfterMs(now)));
    if (!this.#costs.calibrated || this.#runners.size === 0) return undefined;
    const lateMs = now + this.predictedWaitMs(now) + this.#costs.predictMs(1, item.tokens) - item.deadlineAt;
    return lateMs > 0 ? this.#shed('deadline', deadlineUnreachable(Math.ceil(lateMs))) : undefined;
  }

  #retryAfterMs(now: number): number {
    return this.#costs.known ? Math.max(1, Math.ceil(this.predictedWaitMs(now))) : FALLBACK_RETRY_MS;
  }

  #shed(reason: Parameters<NonNullable<BatcherHooks['onShed']>>[0], error: VerdictError): VerdictError {
    this.#hooks.onShed?.(reason);
    return error;
  }
}
