import { gzipSync } from 'node:zlib';
import { HealthCheckRequest } from '../../generated/grpc/health/v1/health.js';
import { ServerReflectionRequest } from '../../generated/grpc/reflection/v1/reflection.js';
import { ForgetRequest } from '../../generated/verdict/v1/cache_service.js';
import { Activation, CacheMode, Truncation } from '../../generated/verdict/v1/classification.js';
import {
  BatchClassifyRequest,
  ClassifyRequest,
  ClassifyStreamRequest,
} from '../../generated/verdict/v1/classifier_service.js';
import {
  DeleteAliasRequest,
  DeleteRollbackRequest,
  GetModelComparisonRequest,
  GetModelRequest,
  ListModelsRequest,
  ReloadModelsRequest,
  SetAliasRequest,
  SetRollbackRequest,
  SetShadowRequest,
  SetTrafficRequest,
} from '../../generated/verdict/v1/model_service.js';
import { GetModelStatisticsRequest } from '../../generated/verdict/v1/model_statistics.js';
import { frame } from '../support/wire-frames.js';
import { marked } from './marker.js';
import { protocolSpecimens } from './protocol-specimens.js';

/** The body of a valid call. */
export interface Specimen {
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly messages: readonly Uint8Array[];
}

const classifier = '/verdict.v1.ClassifierService';
const models = '/verdict.v1.ModelService';

const named = { model: 'topics', version: '1' };
const text = { $case: 'text', value: marked('the team won the match') } as const;
const pair = { $case: 'pair', value: { text: marked('dinner'), textPair: 'is ready' } } as const;
const options = {
  ...{ topK: 2, minScore: 0.1 },
  activation: Activation.SIGMOID,
  truncation: Truncation.START,
  cache: CacheMode.BYPASS,
};

/** A call of every method, with every field that it has. */
export const corpus: readonly Specimen[] = [
  {
    path: `${classifier}/Classify`,
    fields: {},
    messages: [
      ClassifyRequest.encode(ClassifyRequest.fromPartial({ ...named, input: text, options })).finish(),
    ],
  },
  {
    path: `${classifier}/BatchClassify`,
    fields: {},
    messages: [
      BatchClassifyRequest.encode(
        BatchClassifyRequest.fromPartial({ ...named, inputs: [{ input: text }, { input: pair }], options }),
      ).finish(),
    ],
  },
  {
    path: `${classifier}/ClassifyStream`,
    fields: {},
    messages: [
      {
        id: 'a',
        ...named,
        input: text,
        settings: { defaultModel: 'topics', window: 8, defaultOptions: options },
      },
      { id: 'b', input: pair, options },
      { id: 'c', input: text },
    ].map((message) => ClassifyStreamRequest.encode(ClassifyStreamRequest.fromPartial(message)).finish()),
  },
  {
    path: `${models}/ListModels`,
    fields: {},
    messages: [ListModelsRequest.encode(ListModelsRequest.fromPartial({})).finish()],
  },
  {
    path: `${models}/GetModel`,
    fields: {},
    messages: [GetModelRequest.encode(GetModelRequest.fromPartial({ model: 'topics' })).finish()],
  },
  {
    path: `${models}/GetModelStatistics`,
    fields: {},
    messages: [
      GetModelStatisticsRequest.encode({ model: 'topics', version: '' }).finish(),
      GetModelStatisticsRequest.encode({ model: 'topics', version: 'champion' }).finish(),
    ],
  },
  {
    path: `${models}/ReloadModels`,
    fields: {},
    messages: [ReloadModelsRequest.encode({ models: ['topics'] }).finish()],
  },
  {
    path: `${models}/SetTraffic`,
    fields: {},
    messages: [
      SetTrafficRequest.encode({ model: 'topics', traffic: [{ version: '1', percent: 100 }] }).finish(),
    ],
  },
  {
    path: `${models}/SetAlias`,
    fields: {},
    messages: [SetAliasRequest.encode({ model: 'topics', alias: 'champion', version: '1' }).finish()],
  },
  {
    path: `${models}/DeleteAlias`,
    fields: {},
    messages: [DeleteAliasRequest.encode({ model: 'topics', alias: 'champion' }).finish()],
  },
  {
    path: `${models}/SetShadow`,
    fields: {},
    messages: [SetShadowRequest.encode({ model: 'topics', version: '1', percent: 10 }).finish()],
  },
  {
    path: `${models}/SetRollback`,
    fields: {},
    messages: [
      SetRollbackRequest.encode(
        SetRollbackRequest.fromPartial({
          ...{ model: 'topics', version: '2', stableVersion: '1' },
          ...{ maxErrorPercent: 1, maxFlipPercent: 5, minObservations: 50, windowSeconds: 300 },
        }),
      ).finish(),
    ],
  },
  {
    path: `${models}/DeleteRollback`,
    fields: {},
    messages: [DeleteRollbackRequest.encode({ model: 'topics' }).finish()],
  },
  {
    path: `${models}/GetModelComparison`,
    fields: {},
    messages: [GetModelComparisonRequest.encode({ model: 'topics', version: '1' }).finish()],
  },
  {
    path: '/verdict.v1.CacheService/Forget',
    fields: {},
    messages: [
      ForgetRequest.encode(
        ForgetRequest.fromPartial({ model: 'topics', input: pair, caller: 'key:search' }),
      ).finish(),
    ],
  },
  {
    path: '/grpc.health.v1.Health/Check',
    fields: {},
    messages: [HealthCheckRequest.encode({ service: 'models/topics' }).finish()],
  },
  {
    path: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    fields: {},
    messages: [
      ServerReflectionRequest.encode(
        ServerReflectionRequest.fromPartial({
          messageRequest: { $case: 'fileContainingSymbol', value: 'verdict.v1.ClassifierService' },
        }),
      ).finish(),
    ],
  },
  ...protocolSpecimens,
];

/** The bytes of a call's messages on the wire; every other specimen is compressed. */
export function bodyOf({ messages }: Specimen, compressed: boolean): Buffer {
  return Buffer.concat(
    messages.map((message) => (compressed ? frame(gzipSync(message), { compressed }) : frame(message))),
  );
}
