import {
  LoadModelRequest,
  LoadModelResponse,
  UnloadModelRequest,
  UnloadModelResponse,
} from '../../generated/verdict/v1/model_service.js';
import type { ModelLoads } from '../models/types.js';
import type { ModelAccess } from './model-access.js';
import { modelMessage } from './model-message.js';
import { modelServiceName } from './model-routing.js';
import type { AnyRoute, Call, Route } from './route.js';
import { type RequestLimits, smallRequestBytes } from './server-options.js';
import { UnaryCall } from './unary.js';
import { checkModel, refuse, type Violations } from './validation.js';

export interface LoadingRoutesParts {
  readonly loads: ModelLoads;
  readonly access: ModelAccess;
  readonly limits: RequestLimits;
}

/** The methods of ModelService that load and unload models. */
export function loadingRoutes({ loads, access, limits }: LoadingRoutesParts): AnyRoute[] {
  const service = modelServiceName;

  /** The default model has to be named too: what changes it should say so. */
  const checked = (model: string, call: Call<never>): void => {
    const violations: Violations = [];
    if (model === '') violations.push({ field: 'model', description: 'must be set' });
    checkModel(model, 'model', violations);
    refuse(violations);
    call.audit({ model });
    access.check(call.identity, model);
  };

  const loadModel: Route<LoadModelRequest, LoadModelResponse> = {
    service,
    method: 'LoadModel',
    shape: 'unary',
    requestType: LoadModelRequest,
    responseType: LoadModelResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, async ({ model }) => {
        checked(model, call);
        return { model: modelMessage(await loads.load(model, call.signal), limits) };
      }),
  };

  const unloadModel: Route<UnloadModelRequest, UnloadModelResponse> = {
    service,
    method: 'UnloadModel',
    shape: 'unary',
    requestType: UnloadModelRequest,
    responseType: UnloadModelResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, async ({ model }) => {
        checked(model, call);
        return { model: modelMessage(await loads.unload(model, call.signal), limits) };
      }),
  };

  return [loadModel, unloadModel];
}
