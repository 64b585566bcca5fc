import type { CostTracker } from '../cost/cost-tracker.js';
import type { EffectiveBudget } from '../cost/effective-budget.js';
import { Alarm } from './alarm.js';
import type { Backlog, FormedBatch } from './backlog.js';
import type { BatchFormer } from './batch-former.js';
import type { Clock } from './clock.js';
import type { QueueItem } from './queue-item.js';
import { planItemFailures, planRecovery, type Recovery } from './recovery.js';
import type { RunnerPool, RunnerSlot } from './runner-pool.js';
import { type BatcherHooks, ItemFailure, OutOfMemoryError, type Runner, RunnerLostError } from './types.js';

/** What the dispatcher works with; it owns none of it. */
export interface DispatcherParts<T, R> {
  readonly backlog: Backlog<T, R>;
  readonly runners: RunnerPool<T, R>;
  readonly former: BatchFormer;
  readonly costs: CostTracker;
  readonly budget: EffectiveBudget;
  readonly clock: Clock;
  readonly hooks: BatcherHooks;
  /** Whether the next batch is formed before a runner is free. */
  readonly formsAhead: boolean;
  /** Called after each run, when its items are answered or back in the backlog. */
  readonly onRunEnded: () => void;
}

/**
 * Brings items and runners together: forms a batch at the instant a runner is free, runs it, hands out the results, and
 * takes the items of a failed batch back.
 *
 * When a runner has been free already, the batch is formed at the end of the current turn of the event loop
 * (`setImmediate`), once per turn. The loop has by then handled all that it had read from the sockets, so items that
 * arrived together run together instead of one alone and the rest behind it. A microtask would be too early: it runs
 * after the first item's own callback. A timer would be too late: `setImmediate` does not wait, an idle loop gets to it
 * within microseconds.
 */
export class Dispatcher<T, R> {
  readonly #parts: DispatcherParts<T, R>;
  readonly #hold: Alarm;
  readonly #dispatchDeferred = (): void => {
    this.#scheduled = false;
    this.dispatch();
  };
  #scheduled = false;
  #draining = false;

  constructor(parts: DispatcherParts<T, R>) {
    this.#parts = parts;
    this.#hold = new Alarm(parts.clock, () => this.dispatch());
  }

  /** To be called when items or runners have come: dispatches at the end of this turn of the event loop. */
  schedule(): void {
    if (this.#scheduled || !(this.#parts.formsAhead || this.#parts.runners.hasIdle)) return;
    this.#scheduled = true;
    this.#parts.clock.defer(this.#dispatchDeferred);
  }

  /** Nothing more will come: batches are no longer held back. */
  drain(): void {
    this.#draining = true;
    this.dispatch();
  }

  /** Stops the timer. */
  stop(): void {
    this.#hold.cancel();
  }

  /** Gives every free runner a batch, as far as there are items. */
  dispatch(): void {
    const { backlog, runners, formsAhead } = this.#parts;
    backlog.sweep();
    const lone = backlog.bounds.items === 1 ? runners.idleLone() : undefined;
    const idle = lone === undefined ? runners.idle() : [lone];
    for (const [i, slot] of idle.entries()) {
      const batch = backlog.nextSetAside() ?? this.#form(idle.length - i);
      if (batch === undefined) break;
      void this.#run(slot, batch);
    }
    if (formsAhead && backlog.setAsideBatches === 0) {
      const batch = this.#form(1);
      if (batch !== undefined) backlog.setAsideLast(batch);
    }
    backlog.announce();
  }

  #form(idleRunners: number): FormedBatch<T, R> | undefined {
    const { former, backlog, clock } = this.#parts;
    const batch = former.form(backlog, idleRunners, clock.now(), this.#draining);
    if (typeof batch !== 'number') return batch;
    this.#hold.set(batch);
    return undefined;
  }

  async #run(slot: RunnerSlot<T, R>, { items, reason }: FormedBatch<T, R>): Promise<void> {
    const { backlog, runners, costs, budget, clock, hooks } = this.#parts;
    const startedAt = clock.now();
    let tokens = 0;
    let longest = 0;
    for (const item of items) {
      backlog.start(item, startedAt);
      if (item.deadlineAt <= startedAt && !item.extendDeadline(startedAt)) hooks.onExpiredRun?.();
      tokens += item.tokens;
      longest = Math.max(longest, item.tokens);
    }
    backlog.admitWaiting();
    runners.begin(slot, items, costs.predictMs(items.length, longest));
    const outcome = await executeBatch(slot.runner, items);
    const elapsedMs = runners.end(slot);
    const paddedTokens = items.length * longest;
    if ('error' in outcome) {
      if (outcome.error instanceof RunnerLostError) runners.detach(slot);
      if (outcome.error instanceof OutOfMemoryError) budget.lower(paddedTokens, clock.now());
      this.#recover(items, outcome.error, slot.aliveAt);
      this.dispatch();
    } else {
      slot.aliveAt = clock.now();
      const { values, runMs } = outcome;
      // The curve is that of the runners that all but lone items have.
      if (!slot.lone) costs.observe(items.length, tokens, longest, elapsedMs);
      this.#takeFailures(items, values);
      // The runner gets its next batch before this one's results are handed out: it need not wait for that.
      this.dispatch();
      items.forEach((item, i) => {
        const value = values[i] as R | ItemFailure;
        // To an item that was abandoned meanwhile this comes too late, and does nothing.
        if (!(value instanceof ItemFailure)) item.answer(value, runMs, items.length);
      });
      hooks.onBatch?.({ items: items.length, tokens, paddedTokens, longest, reason, runMs });
    }
    this.#parts.onRunEnded();
  }

  #recover(items: readonly QueueItem<T, R>[], cause: unknown, aliveAt: number): void {
    const wanted = items.filter((item) => item.place === 'running');
    this.#follow(planRecovery(wanted, cause, { aliveAt, now: this.#parts.clock.now() }));
  }

  #takeFailures(items: readonly QueueItem<T, R>[], values: readonly (R | ItemFailure)[]): void {
    const failed = items.flatMap((item, i) => {
      const value = values[i];
      return value instanceof ItemFailure && item.place === 'running' ? { item, error: value.error } : [];
    });
    if (failed.length > 0) this.#follow(planItemFailures(failed, items.length));
  }

  #follow(recovery: Recovery<T, R>): void {
    const { backlog, hooks } = this.#parts;
    for (const { item, error } of recovery.given) {
      item.refuse(error);
      hooks.onFailed?.(error.reason);
    }
    backlog.takeBack(recovery);
    if (recovery.retry !== undefined) hooks.onRetry?.(recovery.retry);
  }
}

/** How a run ended. */
type RunOutcome<R> =
  | { readonly values: readonly (R | ItemFailure)[]; readonly runMs: number }
  | { readonly error: unknown };

/** Runs the items on the runner and checks what comes back. Never rejects. */
async function executeBatch<T, R>(
  runner: Runner<T, R>,
  items: readonly QueueItem<T, R>[],
): Promise<RunOutcome<R>> {
  try {
    const outcome = await runner.run(items.map((item) => item.payload as T));
    if (outcome.values.length === items.length) return outcome;
    return {
      error: new Error(`the runner returned ${outcome.values.length} results for ${items.length} items`),
    };
  } catch (error) {
    return { error };
  }
}
