import type { CostTracker } from '../../cost/cost-tracker.js';
import { type BatchLimits, forecastDrainMs } from '../../cost/drain-forecast.js';
import type { VerdictError } from '../../errors.js';
import { deadlineExceeded, deadlineUnreachable, noInstance, queueFull } from '../rejections.js';
import type { BatcherHooks, ClaimedInput, ServiceClass } from '../types.js';
import type { Backlog } from './backlog.js';

/** What a refusal suggests as long as no run has told what runs cost. */
const FALLBACK_RETRY_MS = 100;

/**
 * How much the work ahead counts in the judgement of a deadline. The prediction is a mean: inputs of a length that few
 * others have are overtaken by later ones of more usual lengths, and of those admitted on the mean half would come too late.
 * A queue that is half as long loses nothing: it is still several batches deep. `test/unit/batching/overload.test.ts` holds
 * both ends: the goodput, and how few may be admitted and then fail.
 */
const OVERTAKING = 2;

/** What the door looks at of the runners. */
export interface RunnerFacts {
  readonly size: number;
  readonly busyCount: number;
  /** No runner for so long that none is expected any more. */
  readonly absent: boolean;
  /** What is predicted to be left of the runs under way, summed over the runners. */
  remainingMs(): number;
}

export interface AdmissionParts<T, R> {
  readonly backlog: Backlog<T, R>;
  readonly runners: RunnerFacts;
  readonly costs: CostTracker;
  /** What holds now for batches to come. */
  readonly limits: (now: number) => BatchLimits;
  readonly hooks: BatcherHooks;
}

/** Decides on arrival whether an input is taken in, by what is queued and what that will cost. */
export class Admission<T, R> {
  readonly #parts: AdmissionParts<T, R>;
  constructor(parts: AdmissionParts<T, R>) {
    this.#parts = parts;
  }

  /**
   * How long a new input of this class and flow will wait for its run, in milliseconds; 0 as long as nothing tells what runs
   * cost.
   */
  predictedWaitMs(serviceClass: ServiceClass, flow: object | undefined, now: number): number {
    if (!this.#parts.costs.known) return 0;
    return this.#remainingMs() + this.#aheadMs(serviceClass, flow, this.#parts.limits(now));
  }

  /** How long all that runs and is queued will take, in milliseconds; 0 as long as nothing tells what runs cost. */
  drainMs(now: number): number {
    return this.#parts.costs.known ? this.#remainingMs() + this.#totalMs(this.#parts.limits(now)) : 0;
  }

  /**
   * The error that the input is refused with, told to the hooks; undefined: it may be admitted, or wait in the
   * overflow. A deadline is judged by measured costs only, and only for inputs that would rather be refused than wait.
   */
  refusal(input: ClaimedInput, now: number): VerdictError | undefined {
    const { backlog, runners, costs } = this.#parts;
    if (runners.absent) return this.#shed('no_instance', input, noInstance());
    if (input.deadlineAt <= now) return this.#shed('expired', input, deadlineExceeded());
    if (input.whenFull === 'wait') return undefined;
    if (!backlog.admits(input))
      return this.#shed('queue_full', input, queueFull(this.#retryAfterMs(input, now)));
    if (!costs.calibrated || runners.size === 0 || input.deadlineAt === Number.POSITIVE_INFINITY)
      return undefined;
    // An idle runner has nothing better to do, and a prediction that nothing is run by would never be corrected.
    if (runners.busyCount === 0 && backlog.isEmpty) return undefined;
    if (now + this.#predictedFinishMs(input, now) <= input.deadlineAt) return undefined;
    return this.#shed('deadline', input, deadlineUnreachable(this.#retryAfterMs(input, now)));
  }

  /**
   * From now to the end of the run that answers the input. That run is not the input's alone: it is as long as a full batch
   * where there is enough to fill one.
   */
  #predictedFinishMs(input: ClaimedInput, now: number): number {
    const { costs } = this.#parts;
    const limits = this.#parts.limits(now);
    const aloneMs = costs.predictMs(1, input.tokens);
    const perInputMs = aloneMs - costs.curve.baseMs;
    const fullMs = Math.min(
      Math.max(aloneMs, limits.maxRunMs),
      costs.curve.baseMs +
        perInputMs * Math.min(limits.maxItems, Math.max(1, limits.budgetTokens / input.tokens)),
      aloneMs + this.#totalMs(limits),
    );
    const aheadMs = this.#aheadMs(input.serviceClass, input.flow, limits);
    return this.#remainingMs() + Math.max(fullMs, OVERTAKING * aheadMs + aloneMs);
  }

  /** What the running batches have left, shared by the runners. */
  #remainingMs(): number {
    const { runners } = this.#parts;
    return runners.remainingMs() / Math.max(1, runners.size);
  }

  /**
   * What is done before an input: the work of its own flow, as often as there are flows of its weight in its class, but at most the work
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

  /** The predicted drain time, as far as the class of the input has to wait for it. */
  #retryAfterMs(input: ClaimedInput, now: number): number {
    if (!this.#parts.costs.known) return FALLBACK_RETRY_MS;
    return Math.max(1, Math.ceil(this.predictedWaitMs(input.serviceClass, input.flow, now)));
  }

  #shed(
    reason: Parameters<NonNullable<BatcherHooks['onShed']>>[0],
    input: ClaimedInput,
    error: VerdictError,
  ): VerdictError {
    this.#parts.hooks.onShed?.(reason, input.serviceClass);
    return error;
  }
}
