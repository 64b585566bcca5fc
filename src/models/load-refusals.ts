import { VerdictError } from '../errors.js';

/** What a caller is told that waits for an operator, in milliseconds. */
const OPERATOR_MS = 30_000;

/** The errors of requests for models that are not loaded, each in one place so that reasons and wording stay the same. */

/** @param retryAfterMs predicted time until the model is loaded */
export function tooManyWaiting(model: string, retryAfterMs: number): VerdictError {
  return new VerdictError(
    'resource_exhausted',
    `too many requests wait for the model ${model} to be loaded`,
    {
      reason: 'MODEL_LOADING',
      retryAfterMs,
    },
  );
}

/** @param retryAfterMs predicted time until the model is loaded */
export function loadTooLong(model: string, retryAfterMs: number): VerdictError {
  return new VerdictError(
    'resource_exhausted',
    `the model ${model} is being loaded, which takes longer than the deadline allows`,
    { reason: 'MODEL_LOADING', retryAfterMs },
  );
}

/** @param retryAfterMs predicted time until the model is loaded */
export function placesInUse(model: string, places: number, retryAfterMs: number): VerdictError {
  return new VerdictError(
    'resource_exhausted',
    `the model ${model} is not loaded, and all ${places} places are taken by models in use`,
    { reason: 'MODEL_PLACES_TAKEN', retryAfterMs },
  );
}

/** Nothing but pinned models is loaded, and they leave no room: only an operator can change that. */
export function pinnedLeaveNoRoom(model: string): VerdictError {
  return new VerdictError(
    'resource_exhausted',
    `the model ${model} is not loaded, and the models that are pinned leave no room for it`,
    { reason: 'MODEL_PLACES_TAKEN', retryAfterMs: OPERATOR_MS },
  );
}

/** @param reason for everybody to read @param retryAfterMs time until the next try */
export function loadFailed(model: string, reason: string, retryAfterMs: number): VerdictError {
  return new VerdictError('unavailable', `the model ${model} could not be loaded: ${reason}`, {
    reason: 'MODEL_NOT_LOADED',
    retryAfterMs,
  });
}

export function modelGone(model: string): VerdictError {
  return new VerdictError('not_found', `there is no model ${model}`, {
    reason: 'MODEL_NOT_FOUND',
    resource: { type: 'model', name: model },
  });
}
