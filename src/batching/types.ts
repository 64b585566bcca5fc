import type { ServiceClass, SharedClaim } from '../claim.js';
import type { CostCurve } from '../cost/cost-curve.js';
import type { VerdictError } from '../errors.js';

export type { ServiceClass } from '../claim.js';

/** What the batcher is told of one item: everything a policy may look at, nothing it may not (no tensors, no text). */
export interface ItemFacts {
  /** Length in tokens: what padding is counted in. */
  readonly tokens: number;
  /** When the item joined the queue, on the batcher's clock, in milliseconds. */
  readonly enqueuedAt: number;
  /** When its last waiter gives up, on the batcher's clock, in milliseconds; Infinity: never. */
  readonly deadlineAt: number;
}

/** Why a batch was closed, for the metrics. */
export type CloseReason =
  /** The queue had nothing more, though there was room. */
  | 'drained'
  /** One more item would have passed the padded-token budget. */
  | 'budget'
  /** The batch held its largest number of items. */
  | 'items'
  /** With one more item the predicted run time would have passed its cap. */
  | 'run_time'
  /** What is left differs so much in length that batches of its own are cheaper than the padding. */
  | 'length'
  /** Other runners are free too: the queue was divided among them. */
  | 'shared'
  /** A part of a failed batch: split to find the row that fails, or to fit the memory. */
  | 'bisected';

/** What a policy knows besides the items. */
export interface PolicyFacts {
  /** The batcher's clock, in milliseconds. */
  readonly now: number;
  /** All that is queued; more than the window where the look-ahead ends before the queue does. */
  readonly queuedItems: number;
  readonly queuedTokens: number;
  /** Runners that are free now, the one that the batch is for included. */
  readonly idleRunners: number;
  readonly budgetTokens: number;
  readonly maxItems: number;
  /** Predicted run time at most; Infinity: no cap. */
  readonly maxRunMs: number;
  readonly maxAgeMs: number;
  readonly curve: CostCurve;
}

/** The items of a batch, as positions in the window, at least one. */
export interface Selection {
  readonly positions: ArrayLike<number>;
  readonly reason: CloseReason;
}

/** Chooses a batch out of some queued items, the most urgent one first, at least one. A pure function. */
export type SelectBatch = (window: readonly ItemFacts[], facts: PolicyFacts) => Selection;

/** How one item's run went. */
export interface ItemResult<R> {
  readonly value: R;
  /** From joining the queue to the start of the run that answered it. */
  readonly queueMs: number;
  /** The run of the batch that held it. */
  readonly runMs: number;
  /** How many items ran together. */
  readonly batchSize: number;
}

/** An item on its way: its result, and the ways to give it up and to hurry it. */
export interface Submission<R> {
  /**
   * Rejects with a VerdictError: resource_exhausted, deadline_exceeded, cancelled, unavailable, internal. A rejection
   * that nobody listens to is not reported as unhandled.
   */
  readonly result: Promise<ItemResult<R>>;
  /** Nobody waits any more: the item is dropped if it has not started; the result then rejects with `cancelled`. */
  abandon(): void;
  /**
   * Somebody waits for it to whom it is more urgent: from now on it is of the interactive class and of the flow that its
   * claim names by now. Does nothing for an item that is interactive already, or runs.
   */
  promote(): void;
}

/**
 * Room in the queue for an item that is still being prepared. It is given back when the item ends, however it ends: by its
 * result, its deadline, or `abandon`.
 */
export interface Permit<T, R> extends Submission<R> {
  /** Settles when there is room; undefined: there is. Rejects as the result does. */
  readonly admitted: Promise<void> | undefined;
  /** Whether it has ended: refused at the door, expired, given up. */
  readonly settled: boolean;
  /** Hands over the item and its true length, which settles what it takes of the queue. For want of room it cannot fail. */
  submit(payload: T, tokens: number): void;
}

/** Something that came to the door: its length, as estimated or as it is, and its claim. */
export interface Arrival extends SharedClaim {
  readonly tokens: number;
}

/** What a runner rejects with when the process behind it is gone or hung, as opposed to a batch that failed in it. */
export class RunnerLostError extends Error {
  override readonly name = 'RunnerLostError';
}

/** What a runner rejects with when the batch did not fit the memory: it is halved and tried again. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError';
}

/**
 * What a runner gives in place of a result: it has no answer to this item, while others of the batch may have theirs. An
 * item that ran with others runs once more before it is believed: one row can spoil another's.
 */
export class ItemFailure {
  constructor(readonly error: VerdictError) {}
}

/** Something that runs one batch at a time: a session. */
export interface Runner<T, R> {
  /**
   * Runs the items together; one result per item, in order.
   * @throws RunnerLostError: the runner is detached by this, and is given no further batch; OutOfMemoryError; or any
   *   other error: the batch itself failed
   */
  run(
    items: readonly T[],
  ): Promise<{ readonly values: readonly (R | ItemFailure)[]; readonly runMs: number }>;
}

/** What is queued. The object is only valid during the call. */
export interface QueueDepth {
  readonly items: number;
  readonly tokens: number;
}

/** Events for telemetry. None may throw. */
export interface BatcherHooks {
  onBatch?(batch: {
    readonly items: number;
    readonly tokens: number;
    readonly paddedTokens: number;
    readonly longest: number;
    readonly reason: CloseReason;
    readonly runMs: number;
  }): void;
  /**
   * An item whose deadline had passed was handed to a runner all the same. That takes a deadline within the microseconds
   * in which its batch is formed.
   */
  onExpiredRun?(): void;
  /** Everything that came: with its true length, or, of what was refused before that was known, the estimate. */
  onArrival?(arrival: Arrival): void;
  onQueue?(depth: QueueDepth & Readonly<Record<ServiceClass, QueueDepth>>): void;
  onShed?(
    reason: 'queue_full' | 'deadline' | 'expired' | 'abandoned' | 'no_instance',
    serviceClass: ServiceClass,
  ): void;
  /** An item was answered with an error after it had run. `reason` is the error's. */
  onFailed?(reason: string): void;
  onRetry?(reason: 'runner_lost' | 'bisect' | 'out_of_memory'): void;
}

/** How a batch is filled: see the policies. */
export type PolicyName = 'length' | 'fifo' | 'window';

/** Limits and behaviour of a batcher. Times are in milliseconds. */
export interface BatcherOptions {
  readonly policy: PolicyName;
  /** Whether only items of one length share a batch: then nothing is padded. Default: false. */
  readonly equalLengths?: boolean;
  /** Padded tokens (longest x items) of one batch. A lone item may be longer. */
  readonly budgetTokens: number;
  readonly maxBatchItems: number;
  /** Items that may wait in the queue, all callers together. */
  readonly maxQueueItems: number;
  /** Tokens that may wait in the queue. An empty queue takes one item of any length. */
  readonly maxQueueTokens: number;
  /** How long a free runner waits for a fuller batch, counted from the oldest item; 0: not at all. */
  readonly maxDelayMs: number;
  /** Tokens that the interactive class gets for each token of the bulk class while both wait. */
  readonly interactiveWeight: number;
  /** Predicted run time of one batch; 0: no cap. A lone item may take longer. */
  readonly maxRunMs: number;
  /**
   * Predicted run time of one batch, in per cent of the tightest deadline that waits, or that interactive items had of
   * late; 0: no cap. Never so little that the base cost becomes most of it.
   */
  readonly maxRunPercent: number;
  /** Queued items, from the oldest, that a batch is chosen from. */
  readonly lookAhead: number;
  /** Wait from which the look-ahead narrows to the items that have waited as long. */
  readonly maxAgeMs: number;
  /** How long items are kept when no runner is attached, before they are refused as unavailable. */
  readonly noRunnerGraceMs: number;
  /** What calibration measured. Left out: learnt from live batches, and deadlines are not judged on arrival. */
  readonly costCurve?: CostCurve;
}
