import {
  BatchClassifyRequest,
  BatchClassifyResponse,
  ClassifyRequest,
  ClassifyResponse,
  ClassifyStreamRequest,
  ClassifyStreamResponse,
} from '../../generated/verdict/v1/classifier_service.js';
import type { Classification, Classifier } from '../classify/types.js';
import type { RateLimiter } from '../ratelimit/rate-limiter.js';
import type { CacheAccess } from './cache-access.js';
import { CallClaim } from './call-claim.js';
import { classificationMessage } from './classification-message.js';
import { BatchClassifier } from './classify-batch.js';
import { ClassifyStream, type StreamContext } from './classify-stream.js';
import { serviceClassOf } from './metadata.js';
import { accountOf, admitted, settled } from './metered.js';
import type { ModelAccess } from './model-access.js';
import type { OpenStreams } from './open-streams.js';
import type { AnyRoute, Route } from './route.js';
import { maxReceiveBytes, type RequestLimits } from './server-options.js';
import { traced } from './traced.js';
import { UnaryCall } from './unary.js';
import { defaultsOf, inputRequestFrom } from './validation.js';

/** The name of the service, which is also one of the names that its health goes by. */
export const classifierServiceName = 'verdict.v1.ClassifierService';

export interface ClassifierServiceOptions {
  readonly classifier: Classifier;
  readonly limits: RequestLimits;
  readonly access: ModelAccess;
  readonly cacheAccess: CacheAccess;
  /** Undefined: callers have no limits. */
  readonly limiter: RateLimiter | undefined;
  readonly streamWindow: number;
  readonly defaultDeadlineMs: number;
  readonly streams: OpenStreams;
}

/** The methods of ClassifierService. */
export function classifierRoutes(options: ClassifierServiceOptions): AnyRoute[] {
  const { classifier, limits, access, cacheAccess, limiter } = options;
  const batch = new BatchClassifier(options);
  const service = classifierServiceName;
  const maxRequestBytes = maxReceiveBytes(limits);

  const classify: Route<ClassifyRequest, ClassifyResponse> = {
    service,
    method: 'Classify',
    shape: 'unary',
    requestType: ClassifyRequest,
    responseType: ClassifyResponse,
    maxRequestBytes,
    open: (call) =>
      new UnaryCall(call, (request) => {
        const wanted = traced(call, 'validate', () => inputRequestFrom(request, defaultsOf(call), limits));
        access.check(call.identity, wanted.model);
        const claim = new CallClaim(
          call,
          serviceClassOf(call, 'interactive'),
          cacheAccess.keyspaceOf(call.identity),
          call.trace?.input(),
        );
        const account = accountOf(limiter, call);
        const answer = admitted(account, 1, () => settled(account, () => classifier.classify(wanted, claim)));
        const response = (found: Classification) => ({
          classification: classificationMessage(found, call.identity),
        });
        return answer instanceof Promise ? answer.then(response) : response(answer);
      }),
  };

  const batchClassify: Route<BatchClassifyRequest, BatchClassifyResponse> = {
    service,
    method: 'BatchClassify',
    shape: 'unary',
    requestType: BatchClassifyRequest,
    responseType: BatchClassifyResponse,
    maxRequestBytes,
    open: (call) => new UnaryCall(call, (request) => batch.classify(request, call)),
  };

  const context: StreamContext = {
    classifier,
    limits,
    access,
    cacheAccess,
    limiter,
    window: options.streamWindow,
    inputDeadlineMs: options.defaultDeadlineMs,
    onClose: options.streams.closed,
  };
  const classifyStream: Route<ClassifyStreamRequest, ClassifyStreamResponse> = {
    service,
    method: 'ClassifyStream',
    shape: 'bidi',
    requestType: ClassifyStreamRequest,
    responseType: ClassifyStreamResponse,
    maxRequestBytes,
    open: (call) => {
      const stream = new ClassifyStream(call, context);
      options.streams.opened();
      return stream;
    },
  };

  return [classify, batchClassify, classifyStream];
}
