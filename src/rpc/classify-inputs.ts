import type { Classification, Classifier, InputClaim, InputRequest } from '../classify/types.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import { type ErrorCode, VerdictError } from '../errors.js';
import type { Account } from '../ratelimit/account.js';
import { settled } from './metered.js';

/** The inputs of one request, which are classified side by side. */
export interface RequestInputs {
  readonly count: number;
  /** Called once for each input, in their order. What it throws is the input's failure. */
  requestAt(position: number): InputRequest;
  claimAt(position: number): InputClaim;
  answered(position: number, answer: Classification): void;
  /** @throws what the whole request fails with, if this error fails it */
  failed(position: number, error: unknown): void;
}

/**
 * Classifies the inputs of a request that the account has let in. Returns without a promise when every answer is at hand.
 * @throws what `failed` throws, also by rejection. The inputs under way end with the signal of their claims
 */
export function classifyInputs(
  classifier: Classifier,
  account: Account | undefined,
  inputs: RequestInputs,
): MaybePromise<void> {
  const waits: Promise<void>[] = [];
  for (let position = 0; position < inputs.count; position++) {
    try {
      // First, so that an input which is refused has its span too.
      const claim = inputs.claimAt(position);
      const answer = settled(account, () => classifier.classify(inputs.requestAt(position), claim));
      if (answer instanceof Promise) {
        waits.push(
          answer.then(
            (value) => inputs.answered(position, value),
            (error: unknown) => inputs.failed(position, error),
          ),
        );
      } else {
        inputs.answered(position, answer);
      }
    } catch (error) {
      try {
        inputs.failed(position, error);
      } catch (fatal) {
        // The inputs under way are given up with the request: nobody else hears of their end.
        void Promise.allSettled(waits);
        for (let rest = position + 1; rest < inputs.count; rest++) account?.leave(0);
        throw fatal;
      }
    }
  }
  return waits.length === 0 ? undefined : Promise.all(waits).then(() => {});
}

/** Whether an error of one input says something about the whole request. A model that is unknown or not permitted is so for all inputs. */
const failsAll = {
  cancelled: true,
  deadline_exceeded: true,
  invalid_argument: false,
  internal: false,
  not_found: true,
  permission_denied: true,
  resource_exhausted: true,
  unauthenticated: true,
  unavailable: true,
} as const satisfies Record<ErrorCode, boolean>;

/** Of `resource_exhausted`, what time does not mend is the input's own: it does not fit the memory even alone. */
export function isRequestError(error: unknown): boolean {
  if (!(error instanceof VerdictError) || !failsAll[error.code]) return false;
  return error.code !== 'resource_exhausted' || error.retryAfterMs !== undefined;
}
