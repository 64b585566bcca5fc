import { setTimeout as wait } from 'node:timers/promises';
import { cancelled, VerdictClientError } from './client-error.js';

/** How failed calls are tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first included; 1: no retry. Default 4. */
  readonly maxAttempts: number;
  /** Upper bound of the first pause, in milliseconds; it doubles with every attempt. Default 50. */
  readonly initialBackoffMs: number;
  /** Upper bound of any pause, in milliseconds, unless the server asked for a longer one. Default 2,000. */
  readonly maxBackoffMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { maxAttempts: 4, initialBackoffMs: 50, maxBackoffMs: 2_000 };
export const NO_RETRY: RetryPolicy = { ...DEFAULT_RETRY, maxAttempts: 1 };

/** Time and chance, so that tests can turn them by hand. */
export interface RetryClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

export const SYSTEM_CLOCK: RetryClock = {
  now: Date.now,
  random: Math.random,
  sleep: (ms, signal) => wait(ms, undefined, signal === undefined ? {} : { signal }),
};

/** Until when a call may go on, and who may end it. */
export interface CallLimits {
  /** Milliseconds since the epoch, over all attempts. */
  readonly deadlineAt: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs an idempotent call until it succeeds, fails for good, has used its attempts, or would have to wait past its
 * deadline: then the last error is thrown at once instead of a DEADLINE_EXCEEDED later.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  policy: RetryPolicy,
  { deadlineAt, signal }: CallLimits,
  clock: RetryClock,
): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof VerdictClientError) || attempts >= policy.maxAttempts || !isTransient(error)) {
        throw error;
      }
      const delayMs = retryDelayMs(policy, attempts, error.retryAfterMs, clock.random());
      if (clock.now() + delayMs >= deadlineAt) throw error;
      await sleepOrCancel(delayMs, signal, clock);
    }
  }
}

/**
 * Shed load says when to come back; a RESOURCE_EXHAUSTED that does not is a limit, such as a request or a reply that is
 * too large, and the same request would meet it again.
 */
function isTransient(error: VerdictClientError): boolean {
  if (error.code === 'UNAVAILABLE') return true;
  return error.code === 'RESOURCE_EXHAUSTED' && error.retryAfterMs !== undefined;
}

/**
 * The pause after the `attempts`-th attempt: full jitter, uniform between 0 and an exponentially growing bound
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), on top of what the server asked for.
 * The jitter is kept there too, so that callers refused together do not come back together.
 */
export function retryDelayMs(
  policy: RetryPolicy,
  attempts: number,
  retryAfterMs: number | undefined,
  random: number,
): number {
  const boundMs = Math.min(policy.maxBackoffMs, policy.initialBackoffMs * 2 ** (attempts - 1));
  return (retryAfterMs ?? 0) + random * boundMs;
}

async function sleepOrCancel(ms: number, signal: AbortSignal | undefined, clock: RetryClock): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    throw signal?.aborted ? cancelled(signal) : error;
  }
}
