import type {
  BatchClassifyRequest,
  BatchClassifyResponse,
  BatchResult,
  ClassifyInput,
} from '../../generated/verdict/v1/classifier_service.js';
import type { Classification, Classifier, ClassifyOptions, InputRequest } from '../classify/types.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import { type ErrorCode, VerdictError } from '../errors.js';
import type { Account } from '../ratelimit/account.js';
import type { RateLimiter } from '../ratelimit/rate-limiter.js';
import type { CacheAccess } from './cache-access.js';
import { CallClaim } from './call-claim.js';
import { classificationMessage } from './classification-message.js';
import { routingKeyOf, serviceClassOf } from './metadata.js';
import { accountOf, admitted, settled } from './metered.js';
import type { ModelAccess } from './model-access.js';
import type { Call } from './route.js';
import type { RequestLimits } from './server-options.js';
import { traced } from './traced.js';
import {
  checkModel,
  checkVersion,
  inputFrom,
  invalidFields,
  optionsFrom,
  refuse,
  type Violations,
} from './validation.js';

/** Whether an error of one input says something about the whole call. A model that is unknown or not permitted is so for all inputs. */
const failsCall = {
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

export interface BatchClassifierParts {
  readonly classifier: Classifier;
  readonly limits: RequestLimits;
  readonly access: ModelAccess;
  readonly cacheAccess: CacheAccess;
  /** Undefined: callers have no limits. */
  readonly limiter: RateLimiter | undefined;
}

/** Classifies the inputs of one batch: one result each, in their order. */
export class BatchClassifier {
  readonly #classifier: Classifier;
  readonly #limits: RequestLimits;
  readonly #access: ModelAccess;
  readonly #cacheAccess: CacheAccess;
  readonly #limiter: RateLimiter | undefined;

  constructor({ classifier, limits, access, cacheAccess, limiter }: BatchClassifierParts) {
    this.#classifier = classifier;
    this.#limits = limits;
    this.#access = access;
    this.#cacheAccess = cacheAccess;
    this.#limiter = limiter;
  }

  /**
   * Returns without a promise when every answer is at hand.
   * @throws VerdictError, also by rejection, for what is wrong with the call
   */
  classify(
    request: BatchClassifyRequest,
    call: Call<BatchClassifyResponse>,
  ): MaybePromise<BatchClassifyResponse> {
    const options = traced(call, 'validate', () => this.#checkedOptions(request));
    this.#access.check(call.identity, request.model);
    const account = accountOf(this.#limiter, call);
    return admitted(account, request.inputs.length, () => this.#classifyAll(request, options, call, account));
  }

  #classifyAll(
    request: BatchClassifyRequest,
    options: ClassifyOptions,
    call: Call<BatchClassifyResponse>,
    account: Account | undefined,
  ): MaybePromise<BatchClassifyResponse> {
    const serviceClass = serviceClassOf(call, 'bulk');
    const keyspace = this.#cacheAccess.keyspaceOf(call.identity);
    const shared = new CallClaim(call, serviceClass, keyspace, undefined);
    const routingKey = routingKeyOf(call);
    const results = new Array<BatchResult>(request.inputs.length);
    const waits: Promise<void>[] = [];
    const fail = (error: unknown, position: number): void => {
      if (isCallError(error)) throw error;
      results[position] = { outcome: { $case: 'error', value: call.inputStatus(located(error, position)) } };
    };
    for (const [position, input] of request.inputs.entries()) {
      try {
        const trace = call.trace?.input();
        const claim = trace === undefined ? shared : new CallClaim(call, serviceClass, keyspace, trace);
        const answer = settled(account, () =>
          this.#classifier.classify(this.#inputRequestFrom(request, input, options, routingKey), claim),
        );
        if (answer instanceof Promise) {
          waits.push(
            answer.then(
              (value) => {
                results[position] = classified(value, call);
              },
              (error: unknown) => fail(error, position),
            ),
          );
        } else {
          results[position] = classified(answer, call);
        }
      } catch (error) {
        if (isCallError(error)) {
          // The inputs under way are given up with the call: nobody else hears of their end.
          void Promise.allSettled(waits);
          for (let rest = position + 1; rest < request.inputs.length; rest++) account?.leave(0);
        }
        fail(error, position);
      }
    }
    return waits.length === 0 ? { results } : Promise.all(waits).then(() => ({ results }));
  }

  #checkedOptions(request: BatchClassifyRequest): ClassifyOptions {
    const violations: Violations = [];
    checkModel(request.model, 'model', violations);
    checkVersion(request.version, violations);
    const max = this.#limits.maxBatchInputs;
    const count = request.inputs.length;
    if (count === 0 || count > max) {
      violations.push({ field: 'inputs', description: `must have 1 to ${max} inputs, has ${count}` });
    }
    const options = optionsFrom(request.options, 'options', violations);
    refuse(violations);
    return options;
  }

  #inputRequestFrom(
    request: BatchClassifyRequest,
    { input }: ClassifyInput,
    options: ClassifyOptions,
    routingKey: string | undefined,
  ): InputRequest {
    const violations: Violations = [];
    const converted = inputFrom(input, '', this.#limits, violations);
    refuse(violations);
    return { model: request.model, version: request.version, input: converted, options, routingKey };
  }
}

/** Of `resource_exhausted`, what time does not mend is the input's own: it does not fit the memory even alone. */
function isCallError(error: unknown): boolean {
  if (!(error instanceof VerdictError) || !failsCall[error.code]) return false;
  return error.code !== 'resource_exhausted' || error.retryAfterMs !== undefined;
}

function classified(answer: Classification, { identity }: Pick<Call<never>, 'identity'>): BatchResult {
  return { outcome: { $case: 'classification', value: classificationMessage(answer, identity) } };
}

/** The error with its fields named from the batch's point of view. */
function located(error: unknown, position: number): unknown {
  if (!(error instanceof VerdictError) || error.violations.length === 0) return error;
  const violations = error.violations.map(({ field, description }) => ({
    field: `inputs[${position}].${field}`,
    description,
  }));
  return invalidFields(violations, error);
}
