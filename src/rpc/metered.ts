import type { Classification } from '../classify/types.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import type { Account } from '../ratelimit/account.js';
import type { RateLimiter } from '../ratelimit/rate-limiter.js';
import type { Call } from './route.js';

/** The account of a call's caller, as of now; undefined if no limit holds for it. */
export function accountOf(
  limiter: RateLimiter | undefined,
  call: Pick<Call<never>, 'callerName' | 'identity'>,
): Account | undefined {
  return limiter?.accountOf(call.callerName, call.identity?.limits);
}

/**
 * Runs what the account lets in.
 * @param inputs that have to leave, each by `settled`
 * @throws VerdictError resource_exhausted, also by rejection
 */
export function admitted<T>(
  account: Account | undefined,
  inputs: number,
  run: () => MaybePromise<T>,
): MaybePromise<T> {
  const entry = account?.enter(inputs);
  return entry instanceof Promise ? entry.then(run) : run();
}

/** Classifies an input that was let in. It leaves when it ends, in whatever way. */
export function settled(
  account: Account | undefined,
  classify: () => MaybePromise<Classification>,
): MaybePromise<Classification> {
  if (account === undefined) return classify();
  let answer: MaybePromise<Classification>;
  try {
    answer = classify();
  } catch (error) {
    account.leave(0);
    throw error;
  }
  if (!(answer instanceof Promise)) {
    account.leave(answer.tokenCount);
    return answer;
  }
  return answer.then(
    (found) => {
      account.leave(found.tokenCount);
      return found;
    },
    (error: unknown) => {
      account.leave(0);
      throw error;
    },
  );
}
