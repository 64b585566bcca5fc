import type { Metadata, PredictPairRequest, PredictResponse } from '../../../generated/tei/v1/tei.js';
import type { Identity } from '../../auth/identity.js';
import type { ServiceClass } from '../../claim.js';
import type { Classification, Classifier } from '../../classify/types.js';
import type { MaybePromise } from '../../concurrency/maybe-promise.js';
import type { RateLimiter } from '../../ratelimit/rate-limiter.js';
import type { CacheAccess } from '../cache-access.js';
import { CallClaim, type ClaimTerms } from '../call-claim.js';
import { routingKeyOf, serviceClassOf } from '../metadata.js';
import { accountOf, admitted, settled } from '../metered.js';
import type { ModelAccess } from '../model-access.js';
import type { Call } from '../route.js';
import type { RequestLimits } from '../server-options.js';
import { inputRequestOf, locatedInPredict, type PredictJob, predictJobFrom } from './predict-request.js';

export interface PredictorParts {
  readonly classifier: Classifier;
  readonly limits: RequestLimits;
  readonly access: ModelAccess;
  readonly cacheAccess: CacheAccess;
  /** Undefined: callers have no limits. */
  readonly limiter: RateLimiter | undefined;
}

/** What the shape of a call says about its requests. */
export interface PredictTerms extends ClaimTerms {
  /** The class of a request whose call asks for none. */
  readonly serviceClass: ServiceClass;
}

type PredictCall = Pick<
  Call<never>,
  'identity' | 'caller' | 'callerName' | 'signal' | 'trace' | 'deadlineAt' | 'metadata'
>;

/** Answers requests of text-embeddings-inference's interface with the default model. */
export class Predictor {
  readonly #parts: PredictorParts;

  constructor(parts: PredictorParts) {
    this.#parts = parts;
  }

  /**
   * Returns without a promise when the answer is at hand.
   * @throws VerdictError, also by rejection
   */
  predict(
    request: PredictPairRequest,
    call: PredictCall,
    terms: PredictTerms,
  ): MaybePromise<PredictResponse> {
    const { classifier, limits, access, cacheAccess, limiter } = this.#parts;
    const job = predictJobFrom(request, limits);
    access.check(call.identity, '');
    const claim = new CallClaim(
      call,
      serviceClassOf(call, terms.serviceClass),
      cacheAccess.keyspaceOf(call.identity),
      call.trace?.input(),
      terms,
    );
    const wanted = inputRequestOf(job, routingKeyOf(call));
    const account = accountOf(limiter, call);
    const respond = (answer: Classification) => predictResponse(answer, job, call.identity);
    try {
      const answer = admitted(account, 1, () => settled(account, () => classifier.classify(wanted, claim)));
      if (!(answer instanceof Promise)) return respond(answer);
      return answer.then(respond, (error: unknown) => {
        throw locatedInPredict(error);
      });
    } catch (error) {
      throw locatedInPredict(error);
    }
  }
}

function predictResponse(
  answer: Classification,
  job: PredictJob,
  identity: Identity | undefined,
): PredictResponse {
  return {
    predictions: answer.predictions.map(({ score, label }) => ({ score, label })),
    metadata: metadataOf(answer, job, identity),
  };
}

/** What an answer took tells where it came from: it is for those who may know. @param identity undefined: everybody may */
function metadataOf(
  { tokenCount, timings }: Classification,
  { chars }: PredictJob,
  identity: Identity | undefined,
): Metadata {
  const seesTimes = identity === undefined || identity.has('cache-outcomes');
  const ns = (ms: number) => (seesTimes ? BigInt(Math.round(ms * 1e6)) : 0n);
  return {
    computeChars: chars,
    computeTokens: tokenCount,
    totalTimeNs: ns(timings.totalMs),
    tokenizationTimeNs: ns(timings.tokenizeMs),
    queueTimeNs: ns(timings.queueMs),
    inferenceTimeNs: ns(timings.inferenceMs),
  };
}
