import {
  Activation as ActivationMessage,
  Truncation as TruncationMessage,
} from '../../generated/verdict/v1/classification.js';
import {
  Batching as BatchingMessage,
  GetModelRequest,
  GetModelResponse,
  ListModelsRequest,
  ListModelsResponse,
  type Model,
  type ModelVersion,
  ProblemType as ProblemTypeMessage,
  type ModelReload as ReloadMessage,
  ReloadModelsRequest,
  ReloadModelsResponse,
  ReloadOutcome as ReloadOutcomeMessage,
  ModelState as StateMessage,
} from '../../generated/verdict/v1/model_service.js';
import type {
  AppliedActivation,
  Batching,
  ModelCatalog,
  ModelReload,
  ModelReloads,
  ModelState,
  ModelVersionView,
  ModelView,
  ProblemType,
  ReloadOutcome,
} from '../models/types.js';
import type { Truncation } from '../tokenizer/types.js';
import { roundedMs } from './classification-message.js';
import type { ModelAccess } from './model-access.js';
import type { AnyRoute, Route } from './route.js';
import { maxModelNames, type RequestLimits, smallRequestBytes } from './server-options.js';
import { UnaryCall } from './unary.js';
import { checkModel, refuse, type Violations } from './validation.js';

const states = {
  loading: StateMessage.LOADING,
  serving: StateMessage.SERVING,
  draining: StateMessage.DRAINING,
  failed: StateMessage.FAILED,
} as const satisfies Record<ModelState, StateMessage>;

const problemTypes = {
  single_label_classification: ProblemTypeMessage.SINGLE_LABEL,
  multi_label_classification: ProblemTypeMessage.MULTI_LABEL,
  regression: ProblemTypeMessage.REGRESSION,
} as const satisfies Record<ProblemType, ProblemTypeMessage>;

const batchings = {
  padded: BatchingMessage.PADDED,
  equal_length: BatchingMessage.EQUAL_LENGTH,
  one_at_a_time: BatchingMessage.ONE_AT_A_TIME,
} as const satisfies Record<Batching, BatchingMessage>;

const activations = {
  softmax: ActivationMessage.SOFTMAX,
  sigmoid: ActivationMessage.SIGMOID,
} as const satisfies Record<AppliedActivation, ActivationMessage>;

const truncations = {
  end: TruncationMessage.END,
  start: TruncationMessage.START,
  reject: TruncationMessage.REJECT,
} as const satisfies Record<Truncation, TruncationMessage>;

const reloadOutcomes = {
  loaded: ReloadOutcomeMessage.LOADED,
  unchanged: ReloadOutcomeMessage.UNCHANGED,
  removed: ReloadOutcomeMessage.REMOVED,
  failed: ReloadOutcomeMessage.FAILED,
} as const satisfies Record<ReloadOutcome, ReloadOutcomeMessage>;

export interface ModelServiceParts {
  readonly catalog: ModelCatalog;
  readonly reloads: ModelReloads;
  readonly access: ModelAccess;
  readonly limits: RequestLimits;
}

/** The methods of ModelService. */
export function modelRoutes({ catalog, reloads, access, limits }: ModelServiceParts): AnyRoute[] {
  const service = 'verdict.v1.ModelService';

  const listModels: Route<ListModelsRequest, ListModelsResponse> = {
    service,
    method: 'ListModels',
    shape: 'unary',
    requestType: ListModelsRequest,
    responseType: ListModelsResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, () => {
        const { identity } = call;
        const views = catalog.list().filter(({ name }) => identity?.mayUse(name) ?? true);
        return { models: views.map((view) => modelMessage(view, limits)) };
      }),
  };

  const getModel: Route<GetModelRequest, GetModelResponse> = {
    service,
    method: 'GetModel',
    shape: 'unary',
    requestType: GetModelRequest,
    responseType: GetModelResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, ({ model }) => {
        const violations: Violations = [];
        if (model === '') violations.push({ field: 'model', description: 'must be set' });
        checkModel(model, 'model', violations);
        refuse(violations);
        access.check(call.identity, model);
        return { model: modelMessage(catalog.get(model), limits) };
      }),
  };

  const reloadModels: Route<ReloadModelsRequest, ReloadModelsResponse> = {
    service,
    method: 'ReloadModels',
    shape: 'unary',
    requestType: ReloadModelsRequest,
    responseType: ReloadModelsResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, async ({ models }) => {
        const violations: Violations = [];
        if (models.length > maxModelNames)
          violations.push({ field: 'models', description: `must have at most ${maxModelNames} names` });
        for (const [index, model] of models.entries()) {
          const field = `models[${index}]`;
          if (model === '') violations.push({ field, description: 'must be set' });
          checkModel(model, field, violations);
        }
        refuse(violations);
        call.audit({ models });
        if (models.length === 0) access.checkAll(call.identity);
        for (const model of models) access.check(call.identity, model);
        return { reloads: (await reloads.reload(models, call.signal)).map(reloadMessage) };
      }),
  };

  return [listModels, getModel, reloadModels];
}

function reloadMessage({ model, outcome, version, reason, flips }: ModelReload): ReloadMessage {
  return { model, outcome: reloadOutcomes[outcome], version, reason, labelFlips: flips };
}

function modelMessage(view: ModelView, limits: RequestLimits): Model {
  return {
    name: view.name,
    isDefault: view.isDefault,
    servingVersion: view.servingVersion,
    versions: view.versions.map((version) => versionMessage(version, limits)),
  };
}

function versionMessage(view: ModelVersionView, limits: RequestLimits): ModelVersion {
  return {
    version: view.version,
    state: states[view.state],
    stateReason: view.stateReason,
    labels: [...view.labels],
    problemType:
      view.problemType === undefined ? ProblemTypeMessage.UNSPECIFIED : problemTypes[view.problemType],
    limits: {
      maxTokens: view.maxTokens,
      maxTextChars: limits.maxTextChars,
      maxBatchInputs: limits.maxBatchInputs,
      batchBudgetTokens: view.batchBudgetTokens,
    },
    precision: view.precision ?? '',
    device: view.device ?? '',
    batching: view.batching === undefined ? BatchingMessage.UNSPECIFIED : batchings[view.batching],
    appliedActivation:
      view.appliedActivation === undefined
        ? ActivationMessage.UNSPECIFIED
        : activations[view.appliedActivation],
    digest: view.digest,
    defaultTruncation:
      view.defaultTruncation === undefined
        ? TruncationMessage.UNSPECIFIED
        : truncations[view.defaultTruncation],
    readyInstances: view.readyInstances,
    instances: view.instances,
    cost: {
      baseMs: view.cost.baseMs,
      msPerToken: view.cost.msPerToken,
      msPerTokenSquared: view.cost.msPerTokenSquared,
      samples: view.costSamples.map(({ items, tokens, runMs }) => ({
        inputs: items,
        tokens,
        runMs: roundedMs(runMs),
      })),
    },
  };
}
