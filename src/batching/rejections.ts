import { VerdictError } from '../errors.js';

/** The errors that the batcher answers inputs with, each in one place so that reasons and wording stay the same. */

/** @param retryAfterMs predicted time until what the caller has to wait for is done */
export function queueFull(retryAfterMs: number): VerdictError {
  return new VerdictError('resource_exhausted', 'the queue of this model is full', {
    reason: 'QUEUE_FULL',
    retryAfterMs,
  });
}

/** @param retryAfterMs predicted time until what the caller would have to wait for is done */
export function deadlineUnreachable(retryAfterMs: number): VerdictError {
  return new VerdictError('resource_exhausted', 'the queue is too long to meet the deadline', {
    reason: 'DEADLINE_UNREACHABLE',
    retryAfterMs,
  });
}

/** Of an input whose deadline has passed, or lies before the predicted end of its run. */
export function deadlineExceeded(): VerdictError {
  return new VerdictError('deadline_exceeded', 'the deadline passed before the input could run', {
    reason: 'DEADLINE_EXCEEDED',
  });
}

export function abandoned(): VerdictError {
  return new VerdictError('cancelled', 'the call was cancelled', { reason: 'CANCELLED' });
}

export function noInstance(): VerdictError {
  return new VerdictError('unavailable', 'no session of this model can serve', { reason: 'NO_INSTANCE' });
}

export function draining(): VerdictError {
  return new VerdictError('unavailable', 'this model is being stopped', { reason: 'DRAINING' });
}

export function runtimeLost(cause: unknown): VerdictError {
  return new VerdictError('internal', 'two sessions in a row were lost while they ran this input', {
    reason: 'RUNTIME_LOST',
    cause,
  });
}

export function outOfMemory(cause: unknown): VerdictError {
  return new VerdictError(
    'resource_exhausted',
    'the input does not fit in the memory of a session, even alone',
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
