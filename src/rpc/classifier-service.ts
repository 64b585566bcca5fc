import {
  BatchClassifyRequest,
  BatchClassifyResponse,
  ClassifyRequest,
  ClassifyResponse,
  ClassifyStreamRequest,
  ClassifyStreamResponse,
} from '../../generated/verdict/v1/classifier_service.js';
import type { Classification, Classifier } from '../classify/types.js';
import { CallClaim } from './call-claim.js';
import { classificationMessage } from './classification-message.js';
import { BatchClassifier } from './classify-batch.js';
import { ClassifyStream, type StreamContext } from './classify-stream.js';
import { callDefaults, itemFrom } from './convert.js';
import type { AnyRoute, Route } from './route.js';
import { maxReceiveBytes, type RequestLimits } from './server-options.js';
import { serviceClassOf } from './service-class.js';
import { UnaryCall } from './unary.js';

/** The name of the service, which is also one of the names that its health goes by. */
export const classifierServiceName = 'verdict.v1.ClassifierService';

export interface ClassifierServiceOptions {
  readonly classifier: Classifier;
  readonly limits: RequestLimits;
  readonly streamWindow: number;
  readonly defaultDeadlineMs: number;
  /** ClassifyStream calls open at this moment. */
  onStreamsInFlight(count: number): void;
}

/** The methods of ClassifierService. */
export function classifierRoutes(options: ClassifierServiceOptions): AnyRoute[] {
  const { classifier, limits } = options;
  const batch = new BatchClassifier(classifier, limits);
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
        const item = itemFrom(request, callDefaults, limits);
        const claim = new CallClaim(call, serviceClassOf(call, 'interactive'));
        const answer = classifier.classify(item, claim);
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

  let streams = 0;
  const context: StreamContext = {
    classifier,
    limits,
    window: options.streamWindow,
    itemDeadlineMs: options.defaultDeadlineMs,
    onClose: () => options.onStreamsInFlight(--streams),
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
      options.onStreamsInFlight(++streams);
      return stream;
    },
  };

  return [classify, batchClassify, classifyStream];
}

function response(answer: Classification): ClassifyResponse {
  return { classification: classificationMessage(answer) };
}
