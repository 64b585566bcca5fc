import {
  ModelInferRequest,
  ModelMetadataRequest,
  ModelReadyRequest,
  RepositoryIndexRequest,
  RepositoryModelLoadRequest,
  RepositoryModelUnloadRequest,
  ServerLiveRequest,
  ServerMetadataRequest,
  ServerReadyRequest,
} from '../../generated/inference/grpc_service.js';
import {
  InfoRequest,
  PredictPairRequest,
  PredictRequest,
  TruncationDirection,
} from '../../generated/tei/v1/tei.js';
import { inferParameters, inferRequest, rawInferRequest } from '../support/infer-requests.js';
import type { Specimen } from './corpus.js';
import { marked } from './marker.js';

const inference = '/inference.GRPCInferenceService';
const predict = '/tei.v1.Predict';

const texts = [marked('the team won the match'), marked('dinner')];
const parameters = inferParameters({
  ...{ top_k: 2n, min_score: 0.1, activation: 'sigmoid', truncation: 'start', cache: 'bypass' },
  ...{ priority: 1n, timeout: 5_000_000n },
});
const asked = {
  ...{ modelName: 'topics', modelVersion: '1', id: 'a', parameters },
  outputs: [{ name: 'label' }, { name: 'score' }, { name: 'logits' }],
};
const ofTopics = { name: 'topics', version: '1' };
const predictOptions = {
  ...{ truncate: true, rawScores: true },
  truncationDirection: TruncationDirection.LEFT,
};

function specimen(path: string, ...messages: readonly Uint8Array[]): Specimen {
  return { path, fields: {}, messages };
}

/** A call of every method of the protocols beside the contract's own, with every field that it reads. */
export const protocolSpecimens: readonly Specimen[] = [
  specimen(`${inference}/ModelInfer`, ModelInferRequest.encode(inferRequest(texts, asked)).finish()),
  specimen(`${inference}/ModelInfer`, ModelInferRequest.encode(rawInferRequest(texts, asked)).finish()),
  specimen(
    `${inference}/ModelStreamInfer`,
    ModelInferRequest.encode(inferRequest(texts, asked)).finish(),
    ModelInferRequest.encode(rawInferRequest(texts)).finish(),
  ),
  specimen(`${inference}/ServerLive`, ServerLiveRequest.encode({}).finish()),
  specimen(`${inference}/ServerReady`, ServerReadyRequest.encode({}).finish()),
  specimen(`${inference}/ServerMetadata`, ServerMetadataRequest.encode({}).finish()),
  specimen(`${inference}/ModelReady`, ModelReadyRequest.encode(ofTopics).finish()),
  specimen(`${inference}/ModelMetadata`, ModelMetadataRequest.encode(ofTopics).finish()),
  specimen(
    `${inference}/RepositoryIndex`,
    RepositoryIndexRequest.encode({ repositoryName: '', ready: true }).finish(),
  ),
  specimen(
    `${inference}/RepositoryModelLoad`,
    RepositoryModelLoadRequest.encode(
      RepositoryModelLoadRequest.fromPartial({ modelName: 'topics' }),
    ).finish(),
  ),
  specimen(
    `${inference}/RepositoryModelUnload`,
    RepositoryModelUnloadRequest.encode(
      RepositoryModelUnloadRequest.fromPartial({
        modelName: 'topics',
        parameters: { unload_dependents: { parameterChoice: { $case: 'boolParam', value: true } } },
      }),
    ).finish(),
  ),
  specimen(
    `${predict}/Predict`,
    PredictRequest.encode({ inputs: marked('the match'), ...predictOptions }).finish(),
  ),
  specimen(
    `${predict}/PredictPair`,
    PredictPairRequest.encode({ inputs: texts, ...predictOptions }).finish(),
  ),
  specimen(
    `${predict}/PredictStream`,
    PredictRequest.encode({ inputs: marked('the match'), ...predictOptions }).finish(),
    PredictRequest.encode(PredictRequest.fromPartial({ inputs: marked('dinner') })).finish(),
  ),
  specimen(
    `${predict}/PredictPairStream`,
    PredictPairRequest.encode({ inputs: texts, ...predictOptions }).finish(),
    PredictPairRequest.encode(PredictPairRequest.fromPartial({ inputs: texts })).finish(),
  ),
  specimen('/tei.v1.Info/Info', InfoRequest.encode({}).finish()),
];
