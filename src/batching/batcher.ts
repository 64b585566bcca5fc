import type { SharedClaim } from '../claim.js';
import type { CostCurve } from '../cost/cost-curve.js';
import { CostTracker } from '../cost/cost-tracker.js';
import type { BatchLimits } from '../cost/drain-forecast.js';
import { EffectiveBudget } from '../cost/effective-budget.js';
import { type Clock, systemClock } from './clock.js';
import { BatchFormer } from './dispatch/batch-former.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import { ofEqualLength, policies } from './dispatch/policies.js';
import { RunCap } from './dispatch/run-cap.js';
import { RunnerPool } from './dispatch/runner-pool.js';
import { Admission } from './queueing/admission.js';
import { ArrivalQueue } from './queueing/arrival-queue.js';
import { Backlog } from './queueing/backlog.js';
import { FairQueue } from './queueing/fair-queue.js';
import { Input, type InputOwner } from './queueing/input.js';
import { QueueBounds } from './queueing/queue-bounds.js';
import { abandoned, deadlineExceeded, draining, noInstance } from './rejections.js';
import type { BatcherHooks, BatcherOptions, Permit, Runner, ServiceClass, Submission } from './types.js';

/**
 * Joins inputs into batches for whatever runners are attached. It pulls: a batch is formed at the instant a runner is
 * free, out of what is queued then, so batches grow because runners are busy and a solo input does not wait.
 */
export class Batcher<T, R> {
  readonly #hooks: BatcherHooks;
  readonly #clock: Clock;
  readonly #costs: CostTracker;
  readonly #budget: EffectiveBudget;
  readonly #backlog: Backlog<T, R>;
  readonly #runners: RunnerPool<T, R>;
  readonly #admission: Admission<T, R>;
  readonly #dispatcher: Dispatcher<T, R>;
  readonly #closing = new Closing();
  readonly #runCap: RunCap;
  readonly #owner: InputOwner<T, R> = {
    submitted: (input, payload, tokens) => this.#settle(input, payload, tokens),
    abandoned: (input) => this.#abandon(input),
    promoted: (input) => this.#promote(input),
  };

  constructor(options: BatcherOptions, hooks: BatcherHooks = {}, clock: Clock = systemClock) {
    const { select, formsAhead, isFair } = policies[options.policy];
    const selectBatch = options.equalLengths === true ? ofEqualLength(select) : select;
    const costs = new CostTracker(options.costCurve, options.budgetTokens);
    const budget = new EffectiveBudget(options.budgetTokens);
    const bounds = new QueueBounds(options.maxQueueItems, options.maxQueueTokens);
    const runCap = new RunCap(options);
    const queue = isFair
      ? new FairQueue<Input<T, R>>(options.interactiveWeight)
      : new ArrivalQueue<Input<T, R>>();
    const backlog = new Backlog<T, R>(clock, bounds, queue, hooks, (input) =>
      this.#drop(input, deadlineExceeded(), 'expired'),
    );
    const runners = new RunnerPool<T, R>(clock, options.noRunnerGraceMs, () => this.#rejectBacklog());
    const former = new BatchFormer(selectBatch, options, costs, budget, runCap);
    const onRunEnded = (): void => this.#runEnded();
    const limits = (now: number): BatchLimits => ({
      budgetTokens: budget.tokens(now),
      maxItems: options.maxBatchItems,
      maxRunMs: runCap.capMs([], now, costs.curve),
    });
    this.#admission = new Admission({ backlog, runners, costs, limits, hooks });
    const parts = { backlog, runners, former, costs, budget, clock, hooks, formsAhead, onRunEnded };
    this.#dispatcher = new Dispatcher(parts);
    this.#hooks = hooks;
    this.#clock = clock;
    this.#costs = costs;
    this.#budget = budget;
    this.#backlog = backlog;
    this.#runners = runners;
    this.#runCap = runCap;
  }

  /** Inputs that are admitted and do not run yet, those that are not prepared yet included. */
  get queuedItems(): number {
    return this.#backlog.bounds.items;
  }

  get queuedTokens(): number {
    return this.#backlog.bounds.tokens;
  }

  /** How much of the queue is taken once one more input is in. 1: all. */
  get nextQueueFill(): number {
    return this.#backlog.bounds.nextFill;
  }

  /** Inputs of the overflow. */
  get overflowItems(): number {
    return this.#backlog.overflowItems;
  }

  /** Inputs in runs under way. */
  get inFlightItems(): number {
    return this.#runners.running().length;
  }

  /** Attached runners. */
  get runners(): number {
    return this.#runners.size;
  }

  /** Time spent in runs since the start, summed over the runners: over a while, utilisation x runners x time. */
  get busyMs(): number {
    return this.#runners.busyMs;
  }

  /** The padded-token budget that holds now: for a while after running out of memory, less than configured. */
  get budgetTokens(): number {
    return this.#budget.tokens(this.#clock.now());
  }

  /** The cost curve, kept current by live batches; undefined as long as nothing tells what runs cost. */
  get costCurve(): CostCurve | undefined {
    return this.#costs.known ? this.#costs.curve : undefined;
  }

  /** How long all that runs and is queued will take, in milliseconds; 0 as long as nothing tells what runs cost. */
  predictedDrainMs(): number {
    return this.#admission.drainMs(this.#clock.now());
  }

  /**
   * How long a new input of this class, without a flow of its own, would wait for its run, in milliseconds: what runs, and
   * the work before it at the share that it has; 0 as long as nothing tells what runs cost.
   */
  predictedWaitMs(serviceClass: ServiceClass): number {
    return this.#admission.predictedWaitMs(serviceClass, undefined, this.#clock.now());
  }

  /** Gives a runner to the batcher; returns the way to take it back, after which it gets no further batch. */
  attach(runner: Runner<T, R>): () => void {
    const slot = this.#runners.attach(runner);
    this.#dispatcher.schedule();
    return () => this.#runners.detach(slot);
  }

  /**
   * Gives the batcher a runner for inputs that come while nothing runs and nothing else waits: one that is quicker with
   * one input than those attached, because it has the threads of all of them. It does not count as a runner, and its runs
   * do not move the cost curve.
   */
  attachSolo(runner: Runner<T, R>): () => void {
    const slot = this.#runners.attachSolo(runner);
    return () => this.#runners.detach(slot);
  }

  /**
   * Asks for room for an input that is still to be prepared, which is most of what an input costs before its run. Refuses
   * it, admits it, or lets it wait in the overflow, as its claim says. Never throws: a refusal is the rejection of its
   * result.
   *
   * @param tokens its length, as estimated
   */
  admit(tokens: number, claim: SharedClaim): Permit<T, R> {
    return this.#admit(undefined, tokens, claim);
  }

  /** Takes an input in that is ready, with its length in tokens, special tokens included. */
  submit(payload: T, tokens: number, claim: SharedClaim): Submission<R> {
    const input = this.#admit(payload, tokens, claim);
    if (input.place !== 'settled') this.#tellArrival(input);
    return input;
  }

  #admit(payload: T | undefined, tokens: number, claim: SharedClaim): Input<T, R> {
    const now = this.#clock.now();
    this.#runCap.note(claim, now);
    const input = new Input<T, R>(payload, tokens, claim, now, this.#owner);
    const refusal = this.#closing.started ? draining() : this.#admission.refusal(input, now);
    if (refusal !== undefined) {
      input.refuse(refusal);
      this.#tellArrival(input);
      return input;
    }
    this.#backlog.add(input);
    this.#backlog.announce();
    this.#dispatcher.schedule();
    return input;
  }

  /**
   * Refuses new inputs and finishes those there are. Resolves when all are answered. When the signal aborts, the rest is
   * answered as unavailable, without waiting for the runs under way.
   */
  close(signal: AbortSignal): Promise<void> {
    const closed = this.#closing.start(signal, () => {
      for (const input of this.#backlog.clear()) input.refuse(draining());
      for (const input of this.#runners.running()) if (input.place === 'running') input.refuse(draining());
      this.#finishClosing();
    });
    this.#dispatcher.drain();
    this.#closeIfIdle();
    return closed;
  }

  #abandon(input: Input<T, R>): void {
    if (input.place === 'running') {
      input.refuse(abandoned());
      return;
    }
    this.#backlog.remove(input);
    this.#drop(input, abandoned(), 'abandoned');
  }

  #settle(input: Input<T, R>, payload: T, tokens: number): void {
    this.#backlog.settle(input, payload, tokens);
    // It may be shorter than was estimated: the difference is room for the overflow.
    this.#backlog.admitOverflow();
    this.#tellArrival(input);
    this.#backlog.announce();
    this.#dispatcher.schedule();
  }

  #tellArrival({ tokens, deadlineAt, whenFull, serviceClass, flow }: Input<T, R>): void {
    this.#hooks.onArrival?.({ tokens, deadlineAt, whenFull, serviceClass, flow });
  }

  #promote(input: Input<T, R>): void {
    this.#backlog.promote(input);
    this.#backlog.admitOverflow();
    this.#backlog.announce();
  }

  /** Answers an input that has left the backlog without a run. */
  #drop(input: Input<T, R>, error: Error, reason: 'abandoned' | 'expired'): void {
    this.#endWait(input);
    input.refuse(error);
    this.#hooks.onShed?.(reason, input.serviceClass);
    this.#backlog.admitOverflow();
    this.#backlog.announce();
    this.#dispatcher.schedule();
    this.#closeIfIdle();
  }

  /** An input leaves without a run: its trace shows how long it waited for one. */
  #endWait({ trace, payload, enqueuedAt }: Input<T, R>): void {
    if (payload !== undefined) trace?.stage('queue', enqueuedAt, this.#clock.now());
  }

  /** There is no runner, and none is expected any more. */
  #rejectBacklog(): void {
    for (const input of this.#backlog.clear()) {
      this.#endWait(input);
      input.refuse(noInstance());
      this.#hooks.onShed?.('no_instance', input.serviceClass);
    }
    this.#backlog.announce();
    this.#closeIfIdle();
  }

  #runEnded(): void {
    // A run that was under way when the last runner was given up may have requeued its inputs.
    if (this.#runners.absent) this.#rejectBacklog();
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    const idle = this.#backlog.isEmpty && this.#runners.busyCount === 0;
    if (idle && this.#closing.started) this.#finishClosing();
  }

  #finishClosing(): void {
    this.#dispatcher.stop();
    this.#backlog.stop();
    this.#runners.stop();
    this.#closing.finish();
  }
}

/** The end of something that may have to wait for its work: who waits for it, and what cuts the wait short. */
class Closing {
  readonly #waiting: (() => void)[] = [];
  #started = false;

  /** Whether the end has begun. */
  get started(): boolean {
    return this.#started;
  }

  /** Begins; resolves at `finish`. `force` is called when the signal aborts before that. */
  start(signal: AbortSignal, force: () => void): Promise<void> {
    this.#started = true;
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        signal.removeEventListener('abort', force);
        resolve();
      });
      signal.addEventListener('abort', force, { once: true });
      if (signal.aborted) force();
    });
  }

  finish(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
