import type { SharedClaim } from '../claim.js';
import type { CostCurve } from '../cost/cost-curve.js';
import { CostTracker } from '../cost/cost-tracker.js';
import { EffectiveBudget } from '../cost/effective-budget.js';
import { Admission } from './admission.js';
import { ArrivalQueue } from './arrival-queue.js';
import { Backlog } from './backlog.js';
import { BatchFormer } from './batch-former.js';
import { type Clock, systemClock } from './clock.js';
import { Dispatcher } from './dispatcher.js';
import { ofEqualLength } from './equal-length-policy.js';
import { FairQueue } from './fair-queue.js';
import { policies } from './policy.js';
import { QueueBounds } from './queue-bounds.js';
import { type ItemOwner, QueueItem } from './queue-item.js';
import { abandoned, deadlineExceeded, draining, noInstance } from './rejections.js';
import { RunCap } from './run-cap.js';
import { RunnerPool } from './runner-pool.js';
import type { BatcherHooks, BatcherOptions, Permit, Runner, ServiceClass, Submission } from './types.js';

/**
 * Joins items into batches for whatever runners are attached. It pulls: a batch is formed at the instant a runner is
 * free, out of what is queued then, so batches grow because runners are busy and a lone item does not wait.
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
  readonly #owner: ItemOwner<T, R> = {
    submitted: (item, payload, tokens) => this.#settle(item, payload, tokens),
    abandoned: (item) => this.#abandon(item),
    promoted: (item) => this.#promote(item),
  };

  constructor(options: BatcherOptions, hooks: BatcherHooks = {}, clock: Clock = systemClock) {
    const { select, formsAhead, isFair } = policies[options.policy];
    const selectBatch = options.equalLengths === true ? ofEqualLength(select) : select;
    const { maxBatchItems } = options;
    const costs = new CostTracker(options.costCurve, options.budgetTokens);
    const budget = new EffectiveBudget(options.budgetTokens);
    const bounds = new QueueBounds(options.maxQueueItems, options.maxQueueTokens);
    const runCap = new RunCap(options);
    const queue = isFair
      ? new FairQueue<QueueItem<T, R>>(options.interactiveWeight)
      : new ArrivalQueue<QueueItem<T, R>>();
    const backlog = new Backlog<T, R>(clock, bounds, queue, hooks, (item) =>
      this.#drop(item, deadlineExceeded(), 'expired'),
    );
    const runners = new RunnerPool<T, R>(clock, options.noRunnerGraceMs, () => this.#rejectBacklog());
    const former = new BatchFormer(selectBatch, options, costs, budget, runCap);
    const onRunEnded = (): void => this.#runEnded();
    this.#admission = new Admission({ backlog, runners, costs, budget, runCap, maxBatchItems, hooks });
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

  /** Items that were let in and do not run yet, those that are still being prepared included. */
  get queuedItems(): number {
    return this.#backlog.bounds.items;
  }

  get queuedTokens(): number {
    return this.#backlog.bounds.tokens;
  }

  /** Items that wait outside the full queue. */
  get waitingItems(): number {
    return this.#backlog.waitingItems;
  }

  /** Items in runs under way. */
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
   * How long a new item of this class, without a flow of its own, would wait for its run, in milliseconds: what runs, and
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
   * Gives the batcher a runner for items that come while nothing runs and nothing else waits: one that is quicker with
   * one item than those attached, because it has the threads of all of them. It does not count as a runner, and its runs
   * do not move the cost curve.
   */
  attachLone(runner: Runner<T, R>): () => void {
    const slot = this.#runners.attachLone(runner);
    return () => this.#runners.detach(slot);
  }

  /**
   * Asks for room for an item that is still to be prepared, which is most of what an item costs before its run. Refuses
   * it, lets it in, or lets it wait outside, as its claim says. Never throws: a refusal is the rejection of its result.
   *
   * @param tokens its length, as estimated
   */
  admit(tokens: number, claim: SharedClaim): Permit<T, R> {
    return this.#admit(undefined, tokens, claim);
  }

  /** Takes an item in that is ready, with its length in tokens, special tokens included. */
  submit(payload: T, tokens: number, claim: SharedClaim): Submission<R> {
    const item = this.#admit(payload, tokens, claim);
    if (item.place !== 'settled') this.#tellArrival(item);
    return item;
  }

  #admit(payload: T | undefined, tokens: number, claim: SharedClaim): QueueItem<T, R> {
    const now = this.#clock.now();
    this.#runCap.note(claim, now);
    const item = new QueueItem<T, R>(payload, tokens, claim, now, this.#owner);
    const refusal = this.#closing.started ? draining() : this.#admission.refusal(item, now);
    if (refusal !== undefined) {
      item.refuse(refusal);
      this.#tellArrival(item);
      return item;
    }
    this.#backlog.add(item);
    this.#backlog.announce();
    this.#dispatcher.schedule();
    return item;
  }

  /**
   * Refuses new items and finishes those there are. Resolves when all are answered. When the signal aborts, the rest is
   * answered as unavailable, without waiting for the runs under way.
   */
  close(signal: AbortSignal): Promise<void> {
    const closed = this.#closing.start(signal, () => {
      for (const item of this.#backlog.clear()) item.refuse(draining());
      for (const item of this.#runners.running()) if (item.place === 'running') item.refuse(draining());
      this.#finishClosing();
    });
    this.#dispatcher.drain();
    this.#closeIfIdle();
    return closed;
  }

  #abandon(item: QueueItem<T, R>): void {
    if (item.place === 'running') {
      item.refuse(abandoned());
      return;
    }
    this.#backlog.remove(item);
    this.#drop(item, abandoned(), 'abandoned');
  }

  #settle(item: QueueItem<T, R>, payload: T, tokens: number): void {
    this.#backlog.settle(item, payload, tokens);
    // It may be shorter than was estimated: the difference is room for those outside.
    this.#backlog.admitWaiting();
    this.#tellArrival(item);
    this.#backlog.announce();
    this.#dispatcher.schedule();
  }

  #tellArrival({ tokens, deadlineAt, whenFull, serviceClass, flow }: QueueItem<T, R>): void {
    this.#hooks.onArrival?.({ tokens, deadlineAt, whenFull, serviceClass, flow });
  }

  #promote(item: QueueItem<T, R>): void {
    this.#backlog.promote(item);
    this.#backlog.admitWaiting();
    this.#backlog.announce();
  }

  /** Answers an item that has left the backlog without a run. */
  #drop(item: QueueItem<T, R>, error: Error, reason: 'abandoned' | 'expired'): void {
    item.refuse(error);
    this.#hooks.onShed?.(reason, item.serviceClass);
    this.#backlog.admitWaiting();
    this.#backlog.announce();
    this.#dispatcher.schedule();
    this.#closeIfIdle();
  }

  /** There is no runner, and none is expected any more. */
  #rejectBacklog(): void {
    for (const item of this.#backlog.clear()) {
      item.refuse(noInstance());
      this.#hooks.onShed?.('no_instance', item.serviceClass);
    }
    this.#backlog.announce();
    this.#closeIfIdle();
  }

  #runEnded(): void {
    // A run that was under way when the last runner was given up may have put its items back.
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
