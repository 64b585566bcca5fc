import type { InputTrace, ServiceClass, SharedClaim } from '../claim.js';
import type { CostCurve } from '../cost/cost-curve.js';
import type { VerdictError } from '../errors.js';

export type { ServiceClass } from '../claim.js';

/** What the batcher is told of one input: everything a policy may look at, nothing it may not (no tensors, no text). */
export interface InputFacts {
  /** Length in tokens: what padding is counted in. */
  readonly tokens: number;
  /** When the input joined the queue, on the batcher's clock, in milliseconds. */
  readonly enqueuedAt: number;
  /** When its last waiter gives up, on the batcher's clock, in milliseconds; Infinity: never. */
  readonly deadlineAt: number;
}

/** Why a batch was closed, for the metrics. */
export type CloseReason =
  /** The queue had nothing more, though there was room. */
  | 'drained'
  /** One more input would have passed the padded-token budget. */
  | 'budget'
  /** The batch held its largest number of inputs. */
  | 'items'
  /** With one more input the predicted run time would have passed its cap. */
  | 'run_time'
  /** What is left differs so much in length that batches of its own are cheaper than the padding. */
  | 'length'
  /** Other runners are free too: the queue was divided among them. */
  | 'shared'
  /** A part of a failed batch: split to find the row that fails, or to fit the memory. */
  | 'bisected';

/** What a policy knows besides the inputs. */
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

/** The inputs of a batch, as positions in the window, at least one. */
export interface Selection {
  readonly positions: ArrayLike<number>;
  readonly reason: CloseReason;
}

/** Chooses a batch out of some queued inputs, the most urgent one first, at least one. A pure function. */
export type SelectBatch = (window: readonly InputFacts[], facts: PolicyFacts) => Selection;

/** How one input's run went. */
export interface InputResult<R> {
  readonly value: R;
  /** From joining the queue to the start of the run that answered it. */
  readonly queueMs: number;
  /** The run of the batch that held it. */
  readonly runMs: number;
  /** How many inputs ran together. */
  readonly batchSize: number;
}

/** An input on its way: its result, and the ways to give it up and to hurry it. */
export interface Submission<R> {
  /**
   * Rejects with a VerdictError: resource_exhausted, deadline_exceeded, cancelled, unavailable, internal. A rejection
   * that nobody listens to is not reported as unhandled.
   */
  readonly result: Promise<InputResult<R>>;
  /** Nobody waits any more: the input is dropped if it has not started; the result then rejects with `cancelled`. */
  abandon(): void;
  /**
   * Somebody waits for it to whom it is more urgent: from now on it is of the interactive class and of the flow that its
   * claim names by now. Does nothing for an input that is interactive already, or runs.
   */
  promote(): void;
}

/**
 * Room in the queue for an input that is still being prepared. It is given back when the input ends, however it ends: by its
 * result, its deadline, or `abandon`.
 */
export interface Permit<T, R> extends Submission<R> {
  /** Settles when there is room; undefined: there is. Rejects as the result does. */
  readonly admitted: Promise<void> | undefined;
  /** Whether it has ended: refused at the door, expired, given up. */
  readonly settled: boolean;
  /** Hands over the input and its true length, which settles what it takes of the queue. For want of room it cannot fail. */
  submit(payload: T, tokens: number): void;
}

/** An input at the door: its length, estimated or true, and its claim. */
export interface ClaimedInput extends SharedClaim {
  readonly tokens: number;
}

/** What a runner rejects with when the session behind it is lost, as opposed to a batch that failed in it. */
export class RunnerLostError extends Error {
  override readonly name = 'RunnerLostError';
}

/** What a runner rejects with when the batch did not fit the memory: it is halved and tried again. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError';
}

/**
 * What a runner gives in place of a result: it has no answer to this input, while others of the batch may have theirs. An
 * input that ran with others runs once more before it is believed: one row can spoil another's.
 */
export class InputFailure {
  constructor(readonly error: VerdictError) {}
}

/** Something that runs one batch at a time: a session. */
export interface Runner<T, R> {
  /**
   * Runs the inputs together; one result per input, in order.
   * @throws RunnerLostError: the runner is detached by this, and is given no further batch; OutOfMemoryError; or any
   *   other error: the batch itself failed
   */
  run(
    inputs: readonly T[],
  ): Promise<{ readonly values: readonly (R | InputFailure)[]; readonly runMs: number }>;
}

/** What is queued. The object is only valid during the call. */
export interface QueueDepth {
  readonly items: number;
  readonly tokens: number;
}

/** One run with traced inputs in it. Times are on the batcher's clock, in milliseconds. */
export interface TracedRun {
  /** Those of its inputs that are traced, and when each joined the queue; at least one. */
  readonly members: readonly { readonly trace: InputTrace; readonly queuedAt: number }[];
  readonly startedAt: number;
  readonly endedAt: number;
  /** Of the whole batch. */
  readonly items: number;
  readonly tokens: number;
  readonly paddedTokens: number;
  readonly reason: CloseReason;
  /** `lost`: its session was; `failed`: the batch itself did. */
  readonly outcome: 'ok' | 'lost' | 'out_of_memory' | 'failed';
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
  /** A run with traced inputs in it has ended. Called before its inputs are answered. */
  onTracedRun?(run: TracedRun): void;
  /**
   * An input whose deadline had passed was handed to a runner all the same. That takes a deadline within the microseconds
   * in which its batch is formed.
   */
  onExpiredRun?(): void;
  /** Everything that came: with its true length, or, of what was refused before that was known, the estimate. */
  onArrival?(input: ClaimedInput): void;
  onQueue?(depth: QueueDepth & Readonly<Record<ServiceClass, QueueDepth>>): void;
  onShed?(
    reason: 'queue_full' | 'deadline' | 'expired' | 'abandoned' | 'no_instance',
    serviceClass: ServiceClass,
  ): void;
  /** An input was answered with an error after it had run. `reason` is the error's. */
  onFailed?(reason: string): void;
  onRetry?(reason: 'runner_lost' | 'bisect' | 'out_of_memory'): void;
}

/** How a batch is filled: see the policies. */
export type PolicyName = 'length' | 'fifo' | 'window';

/** Limits and behaviour of a batcher. Times are in milliseconds. */
export interface BatcherOptions {
  readonly policy: PolicyName;
  /** Whether only inputs of one length share a batch: then nothing is padded. Default: false. */
  readonly equalLengths?: boolean;
  /** Padded tokens (longest x inputs) of one batch. An input alone may be longer. */
  readonly budgetTokens: number;
  readonly maxBatchItems: number;
  /** Inputs that may wait in the queue, all callers together. */
  readonly maxQueueItems: number;
  /** Tokens that may wait in the queue. An empty queue takes one input of any length. */
  readonly maxQueueTokens: number;
  /** How long a free runner waits for a fuller batch, counted from the oldest input; 0: not at all. */
  readonly maxDelayMs: number;
  /** Tokens that the interactive class gets for each token of the bulk class while both wait. */
  readonly interactiveWeight: number;
  /** Predicted run time of one batch; 0: no cap. An input alone may take longer. */
  readonly maxRunMs: number;
  /**
   * Predicted run time of one batch, in per cent of the tightest deadline that waits, or that interactive inputs had of
   * late; 0: no cap. Never so little that the base cost becomes most of it.
   */
  readonly maxRunPercent: number;
  /** Queued inputs, from the oldest, that a batch is chosen from. */
  readonly lookAhead: number;
  /** Wait from which the look-ahead narrows to the inputs that have waited as long. */
  readonly maxAgeMs: number;
  /** How long inputs are kept when no runner is attached, before they are refused as unavailable. */
  readonly noRunnerGraceMs: number;
  /** What calibration measured. Left out: learnt from live batches, and deadlines are not judged on arrival. */
  readonly costCurve?: CostCurve;
}
