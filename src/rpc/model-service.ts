import {
  GetModelRequest,
  GetModelResponse,
  ListModelsRequest,
  ListModelsResponse,
  type ModelReload as ReloadMessage,
  ReloadModelsRequest,
  ReloadModelsResponse,
  ReloadOutcome as ReloadOutcomeMessage,
} from '../../generated/verdict/v1/model_service.js';
import type { ComparisonCatalog } from '../comparison/types.js';
import type {
  ModelCatalog,
  ModelLoads,
  ModelReload,
  ModelReloads,
  ReloadOutcome,
  RoutingChanges,
} from '../models/types.js';
import type { StatisticsReader } from '../statistics/types.js';
import { candidateRoutes } from './candidate-routes.js';
import type { ModelAccess } from './model-access.js';
import { comparisonRoutes } from './model-comparison.js';
import { loadingRoutes } from './model-loading.js';
import { modelMessage } from './model-message.js';
import { modelServiceName, routingRoutes } from './model-routing.js';
import { statisticsRoute } from './model-statistics.js';
import type { AnyRoute, Route } from './route.js';
import { maxModelNames, type RequestLimits, smallRequestBytes } from './server-options.js';
import { UnaryCall } from './unary.js';
import { checkModel, checkNamedModel, refuse, type Violations } from './validation.js';

const reloadOutcomes = {
  loaded: ReloadOutcomeMessage.LOADED,
  unchanged: ReloadOutcomeMessage.UNCHANGED,
  removed: ReloadOutcomeMessage.REMOVED,
  failed: ReloadOutcomeMessage.FAILED,
  retired: ReloadOutcomeMessage.RETIRED,
} as const satisfies Record<ReloadOutcome, ReloadOutcomeMessage>;

export interface ModelServiceParts {
  readonly catalog: ModelCatalog;
  readonly reloads: ModelReloads;
  readonly loads: ModelLoads;
  readonly routing: RoutingChanges;
  readonly statistics: StatisticsReader;
  readonly comparisons: ComparisonCatalog;
  readonly access: ModelAccess;
  readonly limits: RequestLimits;
}

/** The methods of ModelService. */
export function modelRoutes(parts: ModelServiceParts): AnyRoute[] {
  const { catalog, reloads, loads, routing, statistics, comparisons, access, limits } = parts;
  const service = modelServiceName;

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
        checkNamedModel(model, violations);
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

  return [
    ...[listModels, getModel, statisticsRoute({ catalog, statistics, access }), reloadModels],
    ...loadingRoutes({ loads, access, limits }),
    ...routingRoutes({ routing, access, limits }),
    ...candidateRoutes({ routing, access, limits }),
    ...comparisonRoutes(comparisons, access),
  ];
}

function reloadMessage(reload: ModelReload): ReloadMessage {
  const { model, outcome, version, reason, flips, warmUp, retired } = reload;
  return {
    ...{ model, outcome: reloadOutcomes[outcome], version, reason },
    ...{ labelFlips: flips, retiredVersions: [...retired], warmUp },
  };
}
