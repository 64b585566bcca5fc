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
  /** The queue had nothing more. */
  | 'drained'
  /** The next item would have passed the padded-token budget. */
  | 'budget'
  /** The batch held its largest number of items. */
  | 'items'
  /** The predicted run time would have passed its cap. */
  | 'run_time'
  /** A failed batch, split to find the row that fails. */
  | 'bisected';

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

/** A submitted item: its result, and the way to give it up. */
export interface Submission<R> {
  /** Rejects with a VerdictError: resource_exhausted, deadline_exceeded, cancelled, unavailable, internal. */
  readonly result: Promise<ItemResult<R>>;
  /** Nobody waits any more: the item is dropped if it has not started; the result then rejects with `cancelled`. */
  abandon(): void;
}

/** What a runner rejects with when the process behind it is gone or hung, as opposed to a batch that failed in it. */
export class RunnerLostError extends Error {
  override readonly name = 'RunnerLostError';
}

/** What a runner rejects with when the batch did not fit the memory: it is halved and tried again. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError';
}

/** Something that runs one batch at a time: a session. */
export interface Runner<T, R> {
  /**
   * Runs the items together; one result per item, in order.
   * @throws RunnerLostError, OutOfMemoryError, or any other error: the batch itself failed
   */
  run(items: readonly T[]): Promise<{ readonly values: readonly R[]; readonly runMs: number }>;
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
  onQueue?(depth: { readonly items: number; readonly tokens: number }): void;
  onShed?(reason: 'queue_full' | 'deadline' | 'expired' | 'abandoned' | 'no_instance'): void;
  onRetry?(reason: 'runner_lost' | 'bisect' | 'out_of_memory'): void;
}
