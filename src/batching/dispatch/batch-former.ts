import type { CostTracker } from '../../cost/cost-tracker.js';
import type { EffectiveBudget } from '../../cost/effective-budget.js';
import type { Backlog, PreparedBatch } from '../queueing/backlog.js';
import type { Input } from '../queueing/input.js';
import type { BatcherOptions, CloseReason, SelectBatch, Selection } from '../types.js';
import type { RunCap } from './run-cap.js';

/** These batches cannot grow by waiting. */
const FULL: ReadonlySet<CloseReason> = new Set(['budget', 'items', 'run_time']);

export type FormingOptions = Pick<BatcherOptions, 'lookAhead' | 'maxBatchItems' | 'maxAgeMs' | 'maxDelayMs'>;

/**
 * How far others may be ahead of the most urgent class and flow and still join its batch, in batches. Nothing would hold
 * the lengths together, but also nothing would keep the shares, if this were far more than a batch.
 */
const LEAD_BUDGETS = 1;

/** How often a batch is chosen anew because some of its inputs would come too late: each time costs a look at the window. */
const LATE_ROUNDS = 3;

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
  ): PreparedBatch<T, R> | number | undefined {
    const { lookAhead, maxDelayMs, maxAgeMs } = this.#options;
    const window = backlog.queue.window(lookAhead, this.#budget.tokens(now) * LEAD_BUDGETS, now - maxAgeMs);
    if (window.length === 0) return undefined;
    let selection = this.#choose(window, backlog, idleRunners, now);
    if (maxDelayMs > 0 && !closing && !FULL.has(selection.reason)) {
      const heldUntil = oldestIn(window) + maxDelayMs;
      if (now < heldUntil) return heldUntil;
    }
    for (let round = 0; round < LATE_ROUNDS; round++) {
      const kept = this.#withoutLate(window, selection, backlog, now);
      if (kept === undefined) break;
      window.splice(0, window.length, ...kept);
      selection = this.#choose(window, backlog, idleRunners, now);
    }
    const [anchor] = window;
    if (anchor !== undefined) backlog.queue.anchored(anchor, now);
    return { inputs: inputsAt(window, selection), reason: selection.reason };
  }

  #choose<T, R>(
    window: readonly Input<T, R>[],
    backlog: Backlog<T, R>,
    idleRunners: number,
    now: number,
  ): Selection {
    const { curve } = this.#costs;
    return this.#select(window, {
      now,
      queuedItems: backlog.queue.size,
      queuedTokens: backlog.bounds.tokens,
      idleRunners,
      budgetTokens: this.#budget.tokens(now),
      maxItems: this.#options.maxBatchItems,
      maxRunMs: this.#runCap.capMs(window, now, curve),
      maxAgeMs: this.#options.maxAgeMs,
      curve,
    });
  }

  /**
   * Gives up those inputs of the selection that would be answered after their deadline, as predicted: their place in the
   * batch is worth more to others. Returns the window without them; undefined where there are none, or nothing else: as
   * long as the runner has nothing better to do, the prediction may be put to the test.
   */
  #withoutLate<T, R>(
    window: readonly Input<T, R>[],
    selection: Selection,
    backlog: Backlog<T, R>,
    now: number,
  ): Input<T, R>[] | undefined {
    if (!this.#costs.calibrated) return undefined;
    const inputs = inputsAt(window, selection);
    const longest = inputs.reduce((most, input) => Math.max(most, input.tokens), 0);
    const endAt = now + this.#costs.predictMs(inputs.length, longest);
    const late = inputs.filter((input) => input.latestDeadlineAt < endAt);
    if (late.length === 0 || late.length === window.length) return undefined;
    for (const input of late) backlog.expire(input);
    return window.filter((input) => input.place === 'queued');
  }
}

function inputsAt<T, R>(window: readonly Input<T, R>[], { positions }: Selection): Input<T, R>[] {
  const inputs: Input<T, R>[] = [];
  for (let i = 0; i < positions.length; i++) {
    const input = window[positions[i] ?? 0];
    if (input !== undefined) inputs.push(input);
  }
  return inputs;
}

function oldestIn(window: readonly { readonly enqueuedAt: number }[]): number {
  let oldest = Number.POSITIVE_INFINITY;
  for (const { enqueuedAt } of window) oldest = Math.min(oldest, enqueuedAt);
  return oldest;
}
