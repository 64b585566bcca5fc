import type { VerdictError } from '../errors.js';
import type { QueueItem } from './queue-item.js';
import { inferenceFailed, outOfMemory, runtimeLost } from './rejections.js';
import { OutOfMemoryError, RunnerLostError } from './types.js';

/** What becomes of the items of a failed batch. Each is in exactly one of the lists. */
export interface Recovery<T, R> {
  /** Back to the front of the queue, in this order. */
  readonly putBack: readonly QueueItem<T, R>[];
  /** Each part runs as a batch of its own, before the queue. */
  readonly parts: readonly (readonly QueueItem<T, R>[])[];
  /** These are answered with the error; one each, as errors carry stacks and callers. */
  readonly given: readonly { readonly item: QueueItem<T, R>; readonly error: VerdictError }[];
  /** What is tried again, for the hook; undefined where nothing is. */
  readonly retry: 'runner_lost' | 'bisect' | 'out_of_memory' | undefined;
}

/** When a lost runner was last known to live, and when it was found lost; on the batcher's clock. */
export interface Loss {
  readonly aliveAt: number;
  readonly now: number;
}

/**
 * The runner that a batch was lost with says nothing about its items; the second one in a row does, unless it may have been
 * dead by then, as when all sessions are killed together.
 */
const MOST_LOSSES = 1;

/**
 * Decides what becomes of the items of a batch that ended in an error, of those that somebody still waits for.
 *
 * - The runner was lost: put back once; items that lose their second living runner get an error.
 * - Out of memory: two halves; an item that is out of memory alone gets an error.
 * - Anything else: two halves, down to the row that fails alone; the others get their results.
 */
export function planRecovery<T, R>(
  items: readonly QueueItem<T, R>[],
  cause: unknown,
  loss: Loss,
): Recovery<T, R> {
  if (cause instanceof RunnerLostError) return afterLoss(items, cause, loss);
  const memory = cause instanceof OutOfMemoryError;
  const [first] = items;
  if (first === undefined) return { putBack: [], parts: [], given: [], retry: undefined };
  if (items.length === 1) {
    const error = memory ? outOfMemory(cause) : inferenceFailed(cause);
    return { putBack: [], parts: [], given: [{ item: first, error }], retry: undefined };
  }
  return { putBack: [], parts: halves(items), given: [], retry: memory ? 'out_of_memory' : 'bisect' };
}

/**
 * Decides what becomes of the items that a batch had no answer to, of those that somebody still waits for. One that ran
 * alone gets its error. The others run again, alone or by halves: the fault may be a neighbour's.
 */
export function planItemFailures<T, R>(
  failed: readonly { readonly item: QueueItem<T, R>; readonly error: VerdictError }[],
  batchItems: number,
): Recovery<T, R> {
  const items = failed.map(({ item }) => item);
  if (items.length === 0 || batchItems === 1)
    return { putBack: [], parts: [], given: failed, retry: undefined };
  const parts = items.length === 1 ? [items] : halves(items);
  return { putBack: [], parts, given: [], retry: 'bisect' };
}

function halves<T>(items: readonly T[]): [T[], T[]] {
  const half = items.length >> 1;
  return [items.slice(0, half), items.slice(half)];
}

function afterLoss<T, R>(
  items: readonly QueueItem<T, R>[],
  cause: RunnerLostError,
  { aliveAt, now }: Loss,
): Recovery<T, R> {
  for (const item of items) {
    if (aliveAt < item.lostAt) continue;
    item.losses++;
    item.lostAt = now;
  }
  const putBack = items.filter((item) => item.losses <= MOST_LOSSES);
  const given = items
    .filter((item) => item.losses > MOST_LOSSES)
    .map((item) => ({ item, error: runtimeLost(cause) }));
  return { putBack, parts: [], given, retry: putBack.length > 0 ? 'runner_lost' : undefined };
}
