import {
  DataType,
  type ModelConfig,
  type RepositoryIndexResponse_ModelIndex as ModelIndex,
  type ModelMetadataResponse,
} from '../../../generated/inference/grpc_service.js';
import { VerdictError } from '../../errors.js';
import type { ModelCatalog, ModelState, ModelVersionView, ModelView } from '../../models/types.js';

/** What Triton calls a server of ONNX models. */
const platform = 'onnxruntime_onnx';

/** A size that varies. */
const varies = -1n;

const states = {
  serving: 'READY',
  loading: 'LOADING',
  draining: 'UNLOADING',
  unloaded: 'UNAVAILABLE',
  failed: 'UNAVAILABLE',
} as const satisfies Record<ModelState, string>;

/** @param name empty: the default model. @throws VerdictError not_found */
export function viewOf(catalog: ModelCatalog, name: string): ModelView {
  const byDefault = name === '' ? catalog.list().find(({ isDefault }) => isDefault) : undefined;
  return byDefault ?? catalog.get(name);
}

/** The loaded version of that number or alias. @param asked empty: the one that most requests go to, which may be none */
export function versionOf(
  { versions, servingVersion, aliases }: ModelView,
  asked: string,
): ModelVersionView | undefined {
  const number = aliases.find(({ alias }) => alias === asked)?.version ?? (asked || servingVersion);
  return versions.find(({ version, digest }) => version === number && digest !== '');
}

/**
 * The tensors of a model. The input `text_pair` is not among them: clients take all that are for required.
 * @throws VerdictError not_found for a version that is not loaded
 */
export function modelMetadata(view: ModelView, asked: string): ModelMetadataResponse {
  const version = versionOf(view, asked);
  if (version === undefined && asked !== '')
    throw new VerdictError('not_found', `version ${view.name}/${asked} is not loaded`, {
      reason: 'VERSION_NOT_FOUND',
      resource: { type: 'version', name: `${view.name}/${asked}` },
    });
  const labels = version === undefined ? varies : BigInt(version.labels.length);
  const loaded = view.versions.filter(({ digest }) => digest !== '');
  return {
    name: view.name,
    versions: (asked === '' ? loaded : loaded.filter((one) => one === version)).map((one) => one.version),
    platform,
    inputs: [{ name: 'text', datatype: 'BYTES', shape: [varies] }],
    outputs: [
      { name: 'label', datatype: 'BYTES', shape: [varies, varies] },
      { name: 'score', datatype: 'FP32', shape: [varies, varies] },
      { name: 'index', datatype: 'INT32', shape: [varies, varies] },
      { name: 'logits', datatype: 'FP32', shape: [varies, labels] },
    ],
  };
}

/** Types of elements in a model's configuration, by those of its tensors. */
const configTypes: Readonly<Record<string, DataType>> = {
  BYTES: DataType.TYPE_STRING,
  FP32: DataType.TYPE_FP32,
  INT32: DataType.TYPE_INT32,
};

/**
 * The same in the form of Triton's configurations.
 * @throws VerdictError not_found for a version that is not loaded
 */
export function modelConfig(view: ModelView, asked: string): ModelConfig {
  const { name, platform: of, inputs, outputs } = modelMetadata(view, asked);
  const tensors = (all: typeof inputs) =>
    all.map((tensor) => ({
      name: tensor.name,
      dataType: configTypes[tensor.datatype] ?? DataType.TYPE_INVALID,
      dims: tensor.shape,
    }));
  return { name, platform: of, maxBatchSize: 0, input: tensors(inputs), output: tensors(outputs) };
}

/** The versions of a model, and the model itself where it has none. */
export function modelIndex({ name, versions }: ModelView): ModelIndex[] {
  if (versions.length === 0) return [{ name, version: '', state: states.failed, reason: '' }];
  return versions.map(({ version, state, stateReason }) => ({
    ...{ name, version, state: states[state], reason: stateReason },
  }));
}
