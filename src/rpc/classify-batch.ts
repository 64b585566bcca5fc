import type {
  BatchClassifyRequest,
  BatchClassifyResponse,
  BatchResult,
  ClassifyInput,
} from '../../generated/verdict/v1/classifier_service.js';
import type { Classification, Classifier, ClassifyOptions, InputRequest } from '../classify/types.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import { VerdictError } from '../errors.js';
import type { Account } from '../ratelimit/account.js';
import type { RateLimiter } from '../ratelimit/rate-limiter.js';
import type { CacheAccess } from './cache-access.js';
import { CallClaim } from './call-claim.js';
import { classificationMessage } from './classification-message.js';
import { classifyInputs, isRequestError } from './classify-inputs.js';
import { routingKeyOf, serviceClassOf } from './metadata.js';
import { accountOf, admitted } from './metered.js';
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
    const done = classifyInputs(this.#classifier, account, {
      count: request.inputs.length,
      requestAt: (position) =>
        this.#inputRequestFrom(request, request.inputs[position]?.input, options, routingKey),
      claimAt: () => {
        const trace = call.trace?.input();
        return trace === undefined ? shared : new CallClaim(call, serviceClass, keyspace, trace);
      },
      answered: (position, answer) => {
        results[position] = classified(answer, call);
      },
      failed: (position, error) => {
        if (isRequestError(error)) throw error;
        results[position] = {
          outcome: { $case: 'error', value: call.inputStatus(located(error, position)) },
        };
      },
    });
    return done instanceof Promise ? done.then(() => ({ results })) : { results };
  }

  #checkedOptions(request: BatchClassifyRequest): ClassifyOptions {
    const violations: Violations = [];
    checkModel(request.model, 'model', violations);
    checkVersion(request.version, 'version', violations);
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
    input: ClassifyInput['input'],
    options: ClassifyOptions,
    routingKey: string | undefined,
  ): InputRequest {
    const violations: Violations = [];
    const converted = inputFrom(input, '', this.#limits, violations);
    refuse(violations);
    return { model: request.model, version: request.version, input: converted, options, routingKey };
  }
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
