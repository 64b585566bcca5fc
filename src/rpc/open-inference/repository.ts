import {
  type ModelRepositoryParameter,
  RepositoryIndexRequest,
  RepositoryIndexResponse,
  RepositoryModelLoadRequest,
  RepositoryModelLoadResponse,
  RepositoryModelUnloadRequest,
  RepositoryModelUnloadResponse,
} from '../../../generated/inference/grpc_service.js';
import { VerdictError } from '../../errors.js';
import type { ModelCatalog, ModelLoads, ModelReloads } from '../../models/types.js';
import type { ModelAccess } from '../model-access.js';
import type { AnyRoute, Call, Route } from '../route.js';
import { smallRequestBytes } from '../server-options.js';
import { UnaryCall } from '../unary.js';
import { checkModel, refuse, type Violations } from '../validation.js';
import { refuseParameters } from './infer-parameters.js';
import { modelIndex } from './model-index.js';
import { openInferenceServiceName } from './service-name.js';

export interface RepositoryParts {
  readonly catalog: ModelCatalog;
  readonly loads: ModelLoads;
  readonly reloads: ModelReloads;
  readonly access: ModelAccess;
}

/** Without effect: no model depends on another. */
const dependents = 'unload_dependents';

/** The methods that tell of the models folder, and load and unload models. */
export function repositoryRoutes({ catalog, loads, reloads, access }: RepositoryParts): AnyRoute[] {
  const service = openInferenceServiceName;

  const repositoryIndex: Route<RepositoryIndexRequest, RepositoryIndexResponse> = {
    service,
    method: 'RepositoryIndex',
    shape: 'unary',
    requestType: RepositoryIndexRequest,
    responseType: RepositoryIndexResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, ({ repositoryName, ready }) => {
        const violations: Violations = [];
        checkRepository(repositoryName, violations);
        refuse(violations);
        const { identity } = call;
        const views = catalog.list().filter(({ name }) => identity?.mayUse(name) ?? true);
        const models = views.flatMap(modelIndex);
        return { models: ready ? models.filter(({ state }) => state === 'READY') : models };
      }),
  };

  /** The default model has to be named too: what changes it should say so. */
  const checked = (
    { repositoryName, modelName }: RepositoryModelLoadRequest,
    call: Call<never>,
    violations: Violations,
  ): void => {
    checkRepository(repositoryName, violations);
    if (modelName === '') violations.push({ field: 'model_name', description: 'must be set' });
    checkModel(modelName, 'model_name', violations);
    refuse(violations);
    call.audit({ model: modelName });
    access.check(call.identity, modelName);
  };

  const load = async (model: string, signal: AbortSignal): Promise<void> => {
    if (isUnloaded(catalog, model)) {
      await loads.load(model, signal);
      return;
    }
    const [reload] = await reloads.reload([model], signal);
    if (reload?.outcome === 'failed')
      throw new VerdictError('unavailable', `the model ${model} could not be loaded: ${reload.reason}`, {
        reason: 'MODEL_NOT_LOADED',
      });
  };

  const repositoryModelLoad: Route<RepositoryModelLoadRequest, RepositoryModelLoadResponse> = {
    service,
    method: 'RepositoryModelLoad',
    shape: 'unary',
    requestType: RepositoryModelLoadRequest,
    responseType: RepositoryModelLoadResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, async (request) => {
        const violations: Violations = [];
        refuseParameters(request.parameters, 'parameters', violations);
        checked(request, call, violations);
        await load(request.modelName, call.signal);
        return {};
      }),
  };

  const repositoryModelUnload: Route<RepositoryModelUnloadRequest, RepositoryModelUnloadResponse> = {
    service,
    method: 'RepositoryModelUnload',
    shape: 'unary',
    requestType: RepositoryModelUnloadRequest,
    responseType: RepositoryModelUnloadResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, async (request) => {
        const violations: Violations = [];
        checkUnloadParameters(request.parameters, violations);
        checked(request, call, violations);
        await loads.unload(request.modelName, call.signal);
        return {};
      }),
  };

  return [repositoryIndex, repositoryModelLoad, repositoryModelUnload];
}

/** Whether a model could be loaded, and is not: of any other, loading means to look at its folder. */
function isUnloaded(catalog: ModelCatalog, model: string): boolean {
  const view = catalog.list().find(({ name }) => name === model);
  return view?.loaded === false && view.versions.some(({ state }) => state === 'unloaded');
}

function checkRepository(name: string, violations: Violations): void {
  if (name !== '')
    violations.push({ field: 'repository_name', description: 'must be empty: there is one repository' });
}

function checkUnloadParameters(
  parameters: Readonly<Record<string, ModelRepositoryParameter>>,
  violations: Violations,
): void {
  const known = parameters[dependents];
  if (known !== undefined && known.parameterChoice?.$case !== 'boolParam')
    violations.push({ field: `parameters.${dependents}`, description: 'must be a boolean' });
  refuseParameters(parameters, 'parameters', violations, dependents);
}
