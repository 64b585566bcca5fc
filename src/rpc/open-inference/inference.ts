import type { ModelInferResponse } from '../../../generated/inference/grpc_service.js';
import { missingScope } from '../../auth/refusals.js';
import type { InputTrace, ServiceClass } from '../../claim.js';
import type { Classification, Classifier } from '../../classify/types.js';
import type { MaybePromise } from '../../concurrency/maybe-promise.js';
import type { RateLimiter } from '../../ratelimit/rate-limiter.js';
import type { CacheAccess } from '../cache-access.js';
import { CallClaim, type ClaimTerms } from '../call-claim.js';
import { classifyInputs } from '../classify-inputs.js';
import { routingKeyOf, serviceClassOf } from '../metadata.js';
import { accountOf, admitted } from '../metered.js';
import type { ModelAccess } from '../model-access.js';
import type { Call } from '../route.js';
import { type InferJob, locatedInRequest } from './infer-request.js';
import { inferResponse } from './infer-response.js';

export interface InferenceParts {
  readonly classifier: Classifier;
  readonly access: ModelAccess;
  readonly cacheAccess: CacheAccess;
  /** Undefined: callers have no limits. */
  readonly limiter: RateLimiter | undefined;
}

/** What the shape of a call says about its requests. */
export interface InferTerms extends ClaimTerms {
  /** The class of a request that asks for none. */
  readonly serviceClass: ServiceClass;
}

type InferCall = Pick<
  Call<never>,
  'identity' | 'caller' | 'callerName' | 'signal' | 'trace' | 'deadlineAt' | 'metadata'
>;

/** Answers requests of the Open Inference Protocol, each with all its texts or not at all. */
export class Inference {
  readonly #parts: InferenceParts;

  constructor(parts: InferenceParts) {
    this.#parts = parts;
  }

  /**
   * Returns without a promise when every answer is at hand.
   * @throws VerdictError, also by rejection
   */
  infer(job: InferJob, call: InferCall, terms: InferTerms): MaybePromise<ModelInferResponse> {
    const { classifier, access, cacheAccess, limiter } = this.#parts;
    access.check(call.identity, job.model);
    const { model, version, inputs } = job;
    const { classify: options, timeoutMs } = job.options;
    const { whenFull } = terms;
    const serviceClass = classOf(job, call, terms);
    const keyspace = cacheAccess.keyspaceOf(call.identity);
    const routingKey = routingKeyOf(call) ?? keyOfTogether(job);
    const deadlineAt = Math.min(
      terms.deadlineAt,
      performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY),
    );
    const claimFor = (trace: InputTrace | undefined) =>
      new CallClaim(call, serviceClass, keyspace, trace, { deadlineAt, whenFull });
    const shared = claimFor(undefined);
    const answers = new Array<Classification>(inputs.length);
    const account = accountOf(limiter, call);
    const done = admitted(account, inputs.length, () =>
      classifyInputs(classifier, account, {
        count: inputs.length,
        requestAt: (position) => ({
          model,
          version,
          input: inputs[position] ?? { text: '' },
          options,
          routingKey,
        }),
        claimAt: () => {
          const trace = call.trace?.input();
          return trace === undefined ? shared : claimFor(trace);
        },
        answered: (position, answer) => {
          answers[position] = answer;
        },
        failed: (position, error) => {
          throw locatedInRequest(error, position, job);
        },
      }),
    );
    return done instanceof Promise
      ? done.then(() => inferResponse(job, answers))
      : inferResponse(job, answers);
  }
}

/** @throws VerdictError permission_denied for a priority that the caller may not ask for */
function classOf({ options }: InferJob, call: InferCall, terms: InferTerms): ServiceClass {
  const own = serviceClassOf(call, terms.serviceClass);
  const asked = options.serviceClass ?? own;
  if (asked === 'interactive' && asked !== own && call.identity?.has('interactive') === false)
    throw missingScope('interactive');
  return asked;
}

/** An answer has one version for all texts, so several of them stay together: where the first one leads. */
function keyOfTogether({ inputs }: InferJob): string | undefined {
  return inputs.length > 1 ? inputs[0]?.text : undefined;
}
