import type { VerdictError } from '../../errors.js';
import type { Input } from '../queueing/input.js';
import { inferenceFailed, outOfMemory, runtimeLost } from '../rejections.js';
import { OutOfMemoryError, RunnerLostError } from '../types.js';

/** What becomes of the inputs of a failed batch. Each is in exactly one of the lists. */
export interface Recovery<T, R> {
  /** Back to the front of the queue, in this order. */
  readonly requeue: readonly Input<T, R>[];
  /** Each part runs as a batch of its own, before the queue. */
  readonly parts: readonly (readonly Input<T, R>[])[];
  /** These are answered with the error; one each, as errors carry stacks and callers. */
  readonly given: readonly { readonly input: Input<T, R>; readonly error: VerdictError }[];
  /** What is tried again, for the hook; undefined where nothing is. */
  readonly retry: 'runner_lost' | 'bisect' | 'out_of_memory' | undefined;
}

/** When a lost runner was last known to live, and when it was found lost; on the batcher's clock. */
export interface Loss {
  readonly aliveAt: number;
  readonly now: number;
}

/**
 * The runner that a batch was lost with says nothing about its inputs; the second one in a row does, unless it may have been
 * dead by then, as when all sessions are killed together.
 */
const MOST_LOSSES = 1;

/**
 * Decides what becomes of the inputs of a batch that ended in an error, of those that somebody still waits for.
 *
 * - The runner was lost: requeued once; inputs that lose their second living runner get an error.
 * - Out of memory: two halves; an input that is out of memory alone gets an error.
 * - Anything else: two halves, down to the row that fails alone; the others get their results.
 */
export function planRecovery<T, R>(
  inputs: readonly Input<T, R>[],
  cause: unknown,
  loss: Loss,
): Recovery<T, R> {
  if (cause instanceof RunnerLostError) return afterLoss(inputs, cause, loss);
  const memory = cause instanceof OutOfMemoryError;
  const [first] = inputs;
  if (first === undefined) return { requeue: [], parts: [], given: [], retry: undefined };
  if (inputs.length === 1) {
    const error = memory ? outOfMemory(cause) : inferenceFailed(cause);
    return { requeue: [], parts: [], given: [{ input: first, error }], retry: undefined };
  }
  return { requeue: [], parts: halves(inputs), given: [], retry: memory ? 'out_of_memory' : 'bisect' };
}

/**
 * Decides what becomes of the inputs that a batch had no answer to, of those that somebody still waits for. One that ran
 * alone gets its error. The others run again, alone or by halves: the fault may be a neighbour's.
 */
export function planInputFailures<T, R>(
  failed: readonly { readonly input: Input<T, R>; readonly error: VerdictError }[],
  batchSize: number,
): Recovery<T, R> {
  const inputs = failed.map(({ input }) => input);
  if (inputs.length === 0 || batchSize === 1)
    return { requeue: [], parts: [], given: failed, retry: undefined };
  const parts = inputs.length === 1 ? [inputs] : halves(inputs);
  return { requeue: [], parts, given: [], retry: 'bisect' };
}

function halves<T>(inputs: readonly T[]): [T[], T[]] {
  const half = inputs.length >> 1;
  return [inputs.slice(0, half), inputs.slice(half)];
}

function afterLoss<T, R>(
  inputs: readonly Input<T, R>[],
  cause: RunnerLostError,
  { aliveAt, now }: Loss,
): Recovery<T, R> {
  for (const input of inputs) {
    if (aliveAt < input.lostAt) continue;
    input.losses++;
    input.lostAt = now;
  }
  const requeue = inputs.filter((input) => input.losses <= MOST_LOSSES);
  const given = inputs
    .filter((input) => input.losses > MOST_LOSSES)
    .map((input) => ({ input, error: runtimeLost(cause) }));
  return { requeue, parts: [], given, retry: requeue.length > 0 ? 'runner_lost' : undefined };
}
