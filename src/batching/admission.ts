import type { CostTracker } from '../cost/cost-tracker.js';
import { type BatchLimits, forecastDrainMs } from '../cost/drain-forecast.js';
import type { EffectiveBudget } from '../cost/effective-budget.js';
import type { VerdictError } from '../errors.js';
import type { Backlog } from './backlog.js';
import { deadlineExceeded, deadlineUnreachable, noInstance, queueFull } from './rejections.js';
import type { RunCap } from './run-cap.js';
import type { RunnerPool } from './runner-pool.js';
import type { Arrival, BatcherHooks, ServiceClass } from './types.js';

/** What a refusal suggests as long as no run has told what runs cost. */
const FALLBACK_RETRY_MS = 100;

/**
 * How much the work ahead counts in the judgement of a deadline. The prediction is a mean: items of a length that few
 * others have are overtaken by later ones of more usual lengths, and of those let in on the mean half would come too late.
 * A queue that is half as long loses nothing: it is still several batches deep. `test/unit/batching/overload.test.ts` holds
 * both ends: the goodput, and how few may be let in and then fail.
 */
const OVERTAKING = 2;

export interface AdmissionParts<T, R> {
  readonly backlog: Backlog<T, R>;
  readonly runners: RunnerPool<T, R>;
  readonly costs: CostTracker;
  readonly budget: EffectiveBudget;
  readonly runCap: RunCap;
  readonly maxBatchItems: number;
  readonly hooks: BatcherHooks;
}

/** Decides on arrival whether an item is taken in, by what is queued and what that will cost. */
export class Admission<T, R> {
  readonly #parts: AdmissionParts<T, R>;
  constructor(parts: AdmissionParts<T, R>) {
    this.#parts = parts;
  }

  /**
   * How long a new item of this class and flow will wait for its run, in milliseconds; 0 as long as nothing tells what runs
   * cost.
   */
  predictedWaitMs(serviceClass: ServiceClass, flow: object | undefined, now: number): number {
    if (!this.#parts.costs.known) return 0;
    return this.#remainingMs() + this.#aheadMs(serviceClass, flow, this.#limits(now));
  }

  /** How long all that runs and is queued will take, in milliseconds; 0 as long as nothing tells what runs cost. */
  drainMs(now: number): number {
    return this.#parts.costs.known ? this.#remainingMs() + this.#totalMs(this.#limits(now)) : 0;
  }

  /**
   * The error that the item is refused with, told to the hooks; undefined: it may come in, or wait outside. A deadline
   * is judged by measured costs only, and only for items that would rather be refused than wait.
   */
  refusal(item: Arrival, now: number): VerdictError | undefined {
    const { backlog, runners, costs } = this.#parts;
    if (runners.absent) return this.#shed('no_instance', item, noInstance());
    if (item.deadlineAt <= now) return this.#shed('expired', item, deadlineExceeded());
    if (item.whenFull === 'wait') return undefined;
    if (!backlog.admits(item))
      return this.#shed('queue_full', item, queueFull(this.#retryAfterMs(item, now)));
    if (!costs.calibrated || runners.size === 0 || item.deadlineAt === Number.POSITIVE_INFINITY)
      return undefined;
    // An idle runner has nothing better to do, and a prediction that nothing is run by would never be corrected.
    if (runners.busyCount === 0 && backlog.isEmpty) return undefined;
    if (now + this.#predictedFinishMs(item, now) <= item.deadlineAt) return undefined;
    return this.#shed('deadline', item, deadlineUnreachable(this.#retryAfterMs(item, now)));
  }

  /**
   * From now to the end of the run that answers the item. That run is not the item's alone: it is as long as a full batch
   * where there is enough to fill one.
   */
  #predictedFinishMs(item: Arrival, now: number): number {
    const { costs } = this.#parts;
    const limits = this.#limits(now);
    const aloneMs = costs.predictMs(1, item.tokens);
    const perItemMs = aloneMs - costs.curve.baseMs;
    const fullMs = Math.min(
      Math.max(aloneMs, limits.maxRunMs),
      costs.curve.baseMs +
        perItemMs * Math.min(limits.maxItems, Math.max(1, limits.budgetTokens / item.tokens)),
      aloneMs + this.#totalMs(limits),
    );
    const aheadMs = this.#aheadMs(item.serviceClass, item.flow, limits);
    return this.#remainingMs() + Math.max(fullMs, OVERTAKING * aheadMs + aloneMs);
  }

  /** What the running batches have left, shared by the runners. */
  #remainingMs(): number {
    const { runners } = this.#parts;
    return runners.remainingMs() / Math.max(1, runners.size);
  }

  /**
   * What is done before an item: the work of its own flow, as often as there are flows in its class, but at most the work
   * of the class; that at the class's share of the runners, but at most everything.
   */
  #aheadMs(serviceClass: ServiceClass, flow: object | undefined, limits: BatchLimits): number {
    const { backlog, costs, runners } = this.#parts;
    const { share, classLoad, flowLoad, flows } = backlog.queue.ahead(serviceClass, flow);
    const ownMs = Math.min(
      forecastDrainMs(classLoad, limits, costs),
      forecastDrainMs(flowLoad, limits, costs) * flows,
    );
    const atShareMs = ownMs / share / Math.max(1, runners.size);
    return Math.min(atShareMs, this.#totalMs(limits));
  }

  #totalMs(limits: BatchLimits): number {
    const { backlog, costs, runners } = this.#parts;
    return forecastDrainMs(backlog.bounds, limits, costs) / Math.max(1, runners.size);
  }

  #limits(now: number): BatchLimits {
    const { budget, runCap, costs, maxBatchItems } = this.#parts;
    return {
      budgetTokens: budget.tokens(now),
      maxItems: maxBatchItems,
      maxRunMs: runCap.capMs([], now, costs.curve),
    };
  }

  /** The predicted drain time, as far as the class of the item has to wait for it. */
  #retryAfterMs(item: Arrival, now: number): number {
    if (!this.#parts.costs.known) return FALLBACK_RETRY_MS;
    return Math.max(1, Math.ceil(this.predictedWaitMs(item.serviceClass, item.flow, now)));
  }

  #shed(
    reason: Parameters<NonNullable<BatcherHooks['onShed']>>[0],
    item: Arrival,
    error: VerdictError,
  ): VerdictError {
    this.#parts.hooks.onShed?.(reason, item.serviceClass);
    return error;
  }
}
