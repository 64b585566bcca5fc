import type { Scope } from '../auth/scopes.js';
import type { RpcMethod } from './interceptor.js';

/** `open`: nobody is asked who they are. */
export type Need = Scope | 'open';

/** By service: what all its methods need, or, where they differ, what each of them needs. */
const needs: Readonly<Record<string, Need | Readonly<Record<string, Need>>>> = {
  'verdict.v1.ClassifierService': 'classify',
  'verdict.v1.ModelService': {
    ListModels: 'classify',
    GetModel: 'classify',
    GetModelStatistics: 'classify',
    ReloadModels: 'admin',
    LoadModel: 'admin',
    UnloadModel: 'admin',
    SetTraffic: 'admin',
    SetAlias: 'admin',
    DeleteAlias: 'admin',
    SetShadow: 'admin',
    SetRollback: 'admin',
    DeleteRollback: 'admin',
    // Its counts tell what labels the texts of all callers get.
    GetModelComparison: 'admin',
  },
  'verdict.v1.CacheService': 'admin',
  'inference.GRPCInferenceService': {
    ServerLive: 'open',
    ServerReady: 'open',
    ServerMetadata: 'classify',
    ModelReady: 'classify',
    ModelMetadata: 'classify',
    ModelConfig: 'classify',
    ModelInfer: 'classify',
    ModelStreamInfer: 'classify',
    RepositoryIndex: 'classify',
    RepositoryModelLoad: 'admin',
    RepositoryModelUnload: 'admin',
  },
  'tei.v1.Predict': 'classify',
  'tei.v1.Info': 'classify',
  'grpc.reflection.v1.ServerReflection': 'reflection',
  'grpc.reflection.v1alpha.ServerReflection': 'reflection',
  'grpc.health.v1.Health': 'open',
};

/** What a method needs; undefined for one that nobody has thought of, and for one that does not exist. */
export function neededScope({ service, method }: RpcMethod): Need | undefined {
  const ofService = needs[service];
  return typeof ofService === 'object' ? ofService[method] : ofService;
}

/** @throws Error for a method that nobody has thought of here: it must not be open by oversight */
export function checkNeededScopes(methods: readonly RpcMethod[]): void {
  const forgotten = methods.find((method) => neededScope(method) === undefined);
  if (forgotten !== undefined)
    throw new Error(`no scope is set for ${forgotten.service}/${forgotten.method}`);
}
