import { VerdictError } from '../errors.js';

/** The errors that the batcher answers items with, each in one place so that reasons and wording stay the same. */

/** @param retryAfterMs predicted time until what the caller has to wait for is done */
export function queueFull(retryAfterMs: number): VerdictError {
  return new VerdictError('resource_exhausted', 'the queue of this model is full', {
    reason: 'QUEUE_FULL',
    retryAfterMs,
  });
}

/** @param retryAfterMs predicted time until what the caller would have to wait for is done */
export function deadlineUnreachable(retryAfterMs: number): VerdictError {
  return new VerdictError('resource_exhausted', 'the queue is too long for the deadline to be met', {
    reason: 'DEADLINE_UNREACHABLE',
    retryAfterMs,
  });
}

/** Of an item whose deadline has passed, or lies before the predicted end of its run. */
export function deadlineExceeded(): VerdictError {
  return new VerdictError('deadline_exceeded', 'the deadline passed before the input could be run', {
    reason: 'DEADLINE_EXCEEDED',
  });
}

export function abandoned(): VerdictError {
  return new VerdictError('cancelled', 'the call was cancelled', { reason: 'CANCELLED' });
}

export function noInstance(): VerdictError {
  return new VerdictError('unavailable', 'no instance of this model can serve', { reason: 'NO_INSTANCE' });
}

export function draining(): VerdictError {
  return new VerdictError('unavailable', 'this model is being stopped', { reason: 'DRAINING' });
}

export function runtimeLost(cause: unknown): VerdictError {
  return new VerdictError('internal', 'the model runtime was lost twice while it ran this input', {
    reason: 'RUNTIME_LOST',
    cause,
  });
}

export function outOfMemory(cause: unknown): VerdictError {
  return new VerdictError(
    'resource_exhausted',
    'the input alone does not fit the memory of the model runtime',
    {
      reason: 'OUT_OF_MEMORY',
      cause,
    },
  );
}

export function inferenceFailed(cause: unknown): VerdictError {
  return new VerdictError('internal', 'the model failed on this input', {
    reason: 'INFERENCE_FAILED',
    cause,
  });
}
