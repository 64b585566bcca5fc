import { VerdictError } from '../errors.js';
import type { RateLimit, RateLimits } from './types.js';

/** Nobody knows when the texts under way will be answered. */
const inFlightRetryMs = 100;

const units: Readonly<Record<RateLimit, string>> = {
  requestsPerMinute: 'inputs a minute',
  tokensPerMinute: 'tokens a minute',
  textsInFlight: 'texts in flight',
};

/**
 * The input, or the batch, is over a limit of its caller.
 * @param caller as the log names it
 * @param waitMs until it would not be; Infinity: one batch is larger than the limit
 */
export function overLimit(
  limit: RateLimit,
  limits: RateLimits,
  caller: string,
  waitMs: number,
): VerdictError {
  const allowed = `at most ${limits[limit]} ${units[limit]}`;
  const tooLarge = waitMs === Number.POSITIVE_INFINITY;
  const message = tooLarge
    ? `the batch has more inputs than the caller's limit: ${allowed}`
    : `over the caller's limit: ${allowed}`;
  return new VerdictError('resource_exhausted', message, {
    reason: 'RATE_LIMITED',
    quota: { subject: caller, description: allowed },
    ...(tooLarge ? {} : { retryAfterMs: Math.ceil(waitMs) }),
  });
}

export function inFlightWait(inputs: number, { textsInFlight }: RateLimits): number {
  return inputs > textsInFlight ? Number.POSITIVE_INFINITY : inFlightRetryMs;
}
