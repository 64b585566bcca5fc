import type { CostTracker } from '../../cost/cost-tracker.js';
import type { EffectiveBudget } from '../../cost/effective-budget.js';
import { Alarm, type Clock } from '../clock.js';
import type { Backlog, PreparedBatch } from '../queueing/backlog.js';
import type { Input } from '../queueing/input.js';
import {
  type BatcherHooks,
  InputFailure,
  OutOfMemoryError,
  type Runner,
  RunnerLostError,
  type TracedRun,
} from '../types.js';
import type { BatchFormer } from './batch-former.js';
import { planInputFailures, planRecovery, type Recovery } from './recovery.js';
import type { RunnerPool, RunnerSlot } from './runner-pool.js';

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
  /** Called after each run, when its inputs are answered or back in the backlog. */
  readonly onRunEnded: () => void;
}

/**
 * Brings inputs and runners together: forms a batch at the instant a runner is free, runs it, hands out the results, and
 * takes the inputs of a failed batch back.
 *
 * When a runner has been free already, the batch is formed at the end of the current turn of the event loop
 * (`setImmediate`), once per turn. The loop has by then handled all that it had read from the sockets, so inputs that
 * arrived together run together instead of one alone and the rest behind it. A microtask would be too early: it runs
 * after the first input's own callback. A timer would be too late: `setImmediate` does not wait, an idle loop gets to it
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

  /** To be called when inputs or runners have come: dispatches at the end of this turn of the event loop. */
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

  /** Gives every free runner a batch, as far as there are inputs. */
  dispatch(): void {
    const { backlog, runners, formsAhead } = this.#parts;
    backlog.sweep();
    const solo = backlog.bounds.items === 1 ? runners.idleSolo() : undefined;
    const idle = solo === undefined ? runners.idle() : [solo];
    for (const [i, slot] of idle.entries()) {
      const batch = backlog.nextPrepared() ?? this.#form(idle.length - i);
      if (batch === undefined) break;
      void this.#run(slot, batch);
    }
    if (formsAhead && backlog.preparedBatches === 0) {
      const batch = this.#form(1);
      if (batch !== undefined) backlog.prepare(batch);
    }
    backlog.announce();
  }

  #form(idleRunners: number): PreparedBatch<T, R> | undefined {
    const { former, backlog, clock } = this.#parts;
    const batch = former.form(backlog, idleRunners, clock.now(), this.#draining);
    if (typeof batch !== 'number') return batch;
    this.#hold.set(batch);
    return undefined;
  }

  async #run(slot: RunnerSlot<T, R>, { inputs, reason }: PreparedBatch<T, R>): Promise<void> {
    const { backlog, runners, costs, budget, clock, hooks } = this.#parts;
    const startedAt = clock.now();
    let tokens = 0;
    let longest = 0;
    for (const input of inputs) {
      backlog.start(input, startedAt);
      if (input.deadlineAt <= startedAt && !input.extendDeadline(startedAt)) hooks.onExpiredRun?.();
      tokens += input.tokens;
      longest = Math.max(longest, input.tokens);
    }
    backlog.admitOverflow();
    runners.begin(slot, inputs, costs.predictMs(inputs.length, longest));
    const outcome = await executeBatch(slot.runner, inputs);
    const elapsedMs = runners.end(slot);
    const paddedTokens = inputs.length * longest;
    const facts = { startedAt, items: inputs.length, tokens, paddedTokens, reason };
    if ('error' in outcome) {
      if (outcome.error instanceof RunnerLostError) runners.detach(slot);
      if (outcome.error instanceof OutOfMemoryError) budget.lower(paddedTokens, clock.now());
      this.#tellTraces(inputs, { ...facts, endedAt: clock.now(), outcome: failureOf(outcome.error) });
      this.#recover(inputs, outcome.error, slot.aliveAt);
      this.dispatch();
    } else {
      const endedAt = clock.now();
      slot.aliveAt = endedAt;
      const { values, runMs } = outcome;
      // The curve is that of the runners that all but solo inputs have.
      if (!slot.solo) costs.observe(inputs.length, tokens, longest, elapsedMs);
      this.#takeFailures(inputs, values);
      // The runner gets its next batch before this one's results are handed out: it need not wait for that.
      this.dispatch();
      this.#tellTraces(inputs, { ...facts, endedAt, outcome: 'ok' });
      inputs.forEach((input, i) => {
        const value = values[i] as R | InputFailure;
        // To an input that was abandoned meanwhile this comes too late, and does nothing.
        if (!(value instanceof InputFailure)) input.answer(value, runMs, inputs.length);
      });
      hooks.onBatch?.({ items: inputs.length, tokens, paddedTokens, longest, reason, runMs });
    }
    this.#parts.onRunEnded();
  }

  /** Before the inputs hear of it: their answers end their traces. */
  #tellTraces(inputs: readonly Input<T, R>[], run: Omit<TracedRun, 'members'>): void {
    const members = inputs.flatMap(({ trace, enqueuedAt }) =>
      trace === undefined ? [] : [{ trace, queuedAt: enqueuedAt }],
    );
    if (members.length > 0) this.#parts.hooks.onTracedRun?.({ ...run, members });
  }

  #recover(inputs: readonly Input<T, R>[], cause: unknown, aliveAt: number): void {
    const wanted = inputs.filter((input) => input.place === 'running');
    this.#follow(planRecovery(wanted, cause, { aliveAt, now: this.#parts.clock.now() }));
  }

  #takeFailures(inputs: readonly Input<T, R>[], values: readonly (R | InputFailure)[]): void {
    const failed = inputs.flatMap((input, i) => {
      const value = values[i];
      return value instanceof InputFailure && input.place === 'running' ? { input, error: value.error } : [];
    });
    if (failed.length > 0) this.#follow(planInputFailures(failed, inputs.length));
  }

  #follow(recovery: Recovery<T, R>): void {
    const { backlog, hooks } = this.#parts;
    for (const { input, error } of recovery.given) {
      input.refuse(error);
      hooks.onFailed?.(error.reason);
    }
    backlog.takeBack(recovery.requeue, recovery.parts);
    if (recovery.retry !== undefined) hooks.onRetry?.(recovery.retry);
  }
}

/** How a run ended. */
type RunOutcome<R> =
  | { readonly values: readonly (R | InputFailure)[]; readonly runMs: number }
  | { readonly error: unknown };

function failureOf(error: unknown): TracedRun['outcome'] {
  if (error instanceof RunnerLostError) return 'lost';
  return error instanceof OutOfMemoryError ? 'out_of_memory' : 'failed';
}

/** Runs the inputs on the runner and checks what comes back. Never rejects. */
async function executeBatch<T, R>(
  runner: Runner<T, R>,
  inputs: readonly Input<T, R>[],
): Promise<RunOutcome<R>> {
  try {
    const outcome = await runner.run(inputs.map((input) => input.payload as T));
    if (outcome.values.length === inputs.length) return outcome;
    return {
      error: new Error(`the runner returned ${outcome.values.length} results for ${inputs.length} inputs`),
    };
  } catch (error) {
    return { error };
  }
}
