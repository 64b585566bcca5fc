import {
  InfoRequest,
  InfoResponse,
  PredictPairRequest,
  PredictRequest,
  PredictResponse,
} from '../../../generated/tei/v1/tei.js';
import type { ModelCatalog } from '../../models/types.js';
import type { MessageType } from '../codec.js';
import type { OpenStreams } from '../open-streams.js';
import type { AnyRoute, Route } from '../route.js';
import { maxInputBytes, smallRequestBytes } from '../server-options.js';
import { UnaryCall } from '../unary.js';
import { type InfoFacts, infoOf } from './info.js';
import { PredictStream, type PredictStreamContext } from './predict-stream.js';
import { Predictor, type PredictorParts } from './predictor.js';

export interface TeiParts extends PredictorParts, InfoFacts {
  readonly catalog: ModelCatalog;
  /** The model that answers. */
  readonly defaultModel: string;
  readonly defaultDeadlineMs: number;
  readonly streams: OpenStreams;
}

/** The interface of text-embeddings-inference for classifiers, beside ClassifierService and onto the same classifier. */
export function teiRoutes(parts: TeiParts): AnyRoute[] {
  const { access, catalog, defaultModel, streams } = parts;
  const predictor = new Predictor(parts);
  const service = 'tei.v1.Predict';
  const maxRequestBytes = maxInputBytes(parts.limits);
  const context: PredictStreamContext = {
    predictor,
    window: parts.streamWindow,
    requestDeadlineMs: parts.defaultDeadlineMs,
    onClose: streams.closed,
  };

  const unary = <Req>(
    method: string,
    requestType: MessageType<Req>,
    asPair: (request: Req) => PredictPairRequest,
  ): Route<Req, PredictResponse> => ({
    ...{ service, method, shape: 'unary', requestType, responseType: PredictResponse, maxRequestBytes },
    open: (call) =>
      new UnaryCall(call, (request) =>
        predictor.predict(asPair(request), call, {
          serviceClass: 'interactive',
          deadlineAt: call.deadlineAt,
          whenFull: 'refuse',
        }),
      ),
  });

  const stream = <Req>(
    method: string,
    requestType: MessageType<Req>,
    asPair: (request: Req) => PredictPairRequest,
  ): Route<Req, PredictResponse> => ({
    ...{ service, method, shape: 'bidi', requestType, responseType: PredictResponse, maxRequestBytes },
    open: (call) => {
      const opened = new PredictStream(call, context, asPair);
      streams.opened();
      return opened;
    },
  });

  const info: Route<InfoRequest, InfoResponse> = {
    service: 'tei.v1.Info',
    method: 'Info',
    shape: 'unary',
    requestType: InfoRequest,
    responseType: InfoResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, () => {
        access.check(call.identity, '');
        return infoOf(catalog.get(defaultModel), parts);
      }),
  };

  return [
    unary('Predict', PredictRequest, ofOneText),
    unary('PredictPair', PredictPairRequest, (request) => request),
    stream('PredictStream', PredictRequest, ofOneText),
    stream('PredictPairStream', PredictPairRequest, (request) => request),
    info,
  ];
}

/** The same in the form that has room for a pair. */
function ofOneText({ inputs, truncate, rawScores, truncationDirection }: PredictRequest): PredictPairRequest {
  return { inputs: [inputs], truncate, rawScores, truncationDirection };
}
