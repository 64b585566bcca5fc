import type {
  ModelInferRequest_InferInputTensor as InputTensor,
  ModelInferRequest,
} from '../../../generated/inference/grpc_service.js';
import { invalidField, VerdictError } from '../../errors.js';
import type { TextInput } from '../../tokenizer/types.js';
import { isRequestError } from '../classify-inputs.js';
import { decodeUtf8 } from '../codec.js';
import type { RequestLimits } from '../server-options.js';
import { maxIdChars } from '../stream-input.js';
import {
  checkModel,
  checkVersion,
  invalidFields,
  refuse,
  textProblem,
  type Violations,
} from '../validation.js';
import { readElements } from './bytes-elements.js';
import {
  checkTensorParameters,
  type InferOptions,
  inferOptionsFrom,
  refuseParameters,
} from './infer-parameters.js';

/** The outputs that there are. */
export type OutputName = 'label' | 'score' | 'index' | 'logits';

export interface RequestedOutput {
  readonly output: OutputName;
  /** As the request writes it. */
  readonly name: string;
}

/** A request, checked. */
export interface InferJob {
  readonly id: string;
  readonly model: string;
  readonly version: string;
  readonly inputs: readonly TextInput[];
  readonly options: InferOptions;
  readonly outputs: readonly RequestedOutput[];
  /** Whether tensors came as they lie in memory, and go so. */
  readonly isRaw: boolean;
  /** The places of the tensors among the inputs, for errors. `pair` is undefined where the texts are single. */
  readonly places: { readonly text: number; readonly pair: number | undefined };
}

type InputName = 'text' | 'text_pair';

/** One of the tensors of a request, read. */
interface TextTensor {
  readonly place: number;
  readonly texts: readonly string[];
}

/** What is answered where nothing is asked for. */
const defaultOutputs: readonly RequestedOutput[] = (['label', 'score', 'index'] as const).map((name) => ({
  output: name,
  name,
}));

const outputNames: readonly OutputName[] = ['label', 'score', 'index', 'logits'];
const inputNames: readonly InputName[] = ['text', 'text_pair'];

/** @throws VerdictError invalid_argument that names every bad field */
export function inferJobFrom(request: ModelInferRequest, limits: RequestLimits): InferJob {
  const violations: Violations = [];
  checkModel(request.modelName, 'model_name', violations);
  checkVersion(request.modelVersion, 'model_version', violations);
  if (request.id.length > maxIdChars)
    violations.push({ field: 'id', description: `must have at most ${maxIdChars} UTF-16 units` });
  const options = inferOptionsFrom(request.parameters, violations);
  const outputs = outputsFrom(request, violations);
  const { text, pair } = tensorsFrom(request, limits, violations);
  refuse(violations);
  return {
    id: request.id,
    model: request.modelName,
    version: request.modelVersion,
    inputs: text.texts.map((value, position) => {
      const textPair = pair?.texts[position];
      return textPair === undefined ? { text: value } : { text: value, textPair };
    }),
    options,
    outputs,
    isRaw: request.rawInputContents.length > 0,
    places: { text: text.place, pair: pair?.place },
  };
}

function outputsFrom({ outputs }: ModelInferRequest, violations: Violations): readonly RequestedOutput[] {
  if (outputs.length === 0) return defaultOutputs;
  const asked = new Set<OutputName>();
  const found: RequestedOutput[] = [];
  for (const [at, { name, parameters }] of outputs.entries()) {
    const path = `outputs[${at}]`;
    const lower = name.toLowerCase();
    const output = outputNames.find((one) => one === lower);
    if (output === undefined)
      violations.push({ field: `${path}.name`, description: `must be one of ${outputNames.join(', ')}` });
    else if (asked.has(output))
      violations.push({ field: `${path}.name`, description: 'must not be there twice' });
    else {
      asked.add(output);
      found.push({ output, name });
    }
    refuseParameters(parameters, `${path}.parameters`, violations);
  }
  return found;
}

function tensorsFrom(
  request: ModelInferRequest,
  limits: RequestLimits,
  violations: Violations,
): { readonly text: TextTensor; readonly pair: TextTensor | undefined } {
  const { inputs, rawInputContents: raw } = request;
  if (raw.length > 0 && raw.length !== inputs.length) {
    const description = `must have one entry for each of the ${inputs.length} inputs, or none; has ${raw.length}`;
    throw invalidField('raw_input_contents', description);
  }
  const tensors = new Map<InputName, TextTensor>();
  for (const [place, tensor] of inputs.entries()) {
    const name = inputNames.find((one) => one === tensor.name.toLowerCase());
    const field = `inputs[${place}].name`;
    if (name === undefined) violations.push({ field, description: `must be ${inputNames.join(' or ')}` });
    else if (tensors.has(name)) violations.push({ field, description: 'must not be there twice' });
    else tensors.set(name, { place, texts: textsFrom(tensor, place, raw[place], limits, violations) });
    checkTensorParameters(tensor.parameters, `inputs[${place}].parameters`, violations);
  }
  const text = tensors.get('text');
  const pair = tensors.get('text_pair');
  if (text === undefined) {
    violations.push({ field: 'inputs', description: 'must have the tensor text' });
    return { text: { place: 0, texts: [] }, pair };
  }
  // Where a tensor is wrong in itself, its number of texts says nothing more.
  if (pair !== undefined && violations.length === 0 && pair.texts.length !== text.texts.length) {
    const description = `must be that of text: ${text.texts.length} texts, not ${pair.texts.length}`;
    violations.push({ field: `inputs[${pair.place}].shape`, description });
  }
  return { text, pair };
}

/** The texts of a tensor; empty where it does not hold texts, which `violations` say. */
function textsFrom(
  tensor: InputTensor,
  place: number,
  raw: Buffer | undefined,
  limits: RequestLimits,
  violations: Violations,
): readonly string[] {
  const path = `inputs[${place}]`;
  const { datatype, shape } = tensor;
  if (datatype !== 'BYTES') violations.push({ field: `${path}.datatype`, description: 'must be BYTES' });
  if (shape.length < 1 || shape.length > 2 || (shape.length === 2 && shape[1] !== 1n)) {
    violations.push({ field: `${path}.shape`, description: 'must be [n] or [n, 1] for n texts' });
    return [];
  }
  const { maxBatchInputs } = limits;
  const [size = 0n] = shape;
  if (size < 1n || size > BigInt(maxBatchInputs)) {
    const description = `must be 1 to ${maxBatchInputs} texts, is ${size}`;
    violations.push({ field: `${path}.shape`, description });
    return [];
  }
  const count = Number(size);
  const elements =
    raw === undefined
      ? contentsOf(tensor, path, count, violations)
      : rawOf(tensor, place, raw, count, violations);
  return elements.map((bytes, position) => {
    const field = `${path}[${position}]`;
    const text = decoded(bytes);
    const description = text === undefined ? 'must be UTF-8' : textProblem(text, limits);
    if (description !== undefined) violations.push({ field, description });
    return text ?? '';
  });
}

function contentsOf(
  { contents }: InputTensor,
  path: string,
  count: number,
  violations: Violations,
): readonly Buffer[] {
  const { bytesContents = [], ...others } = contents ?? {};
  if (Object.values(others).some(({ length }) => length > 0))
    violations.push({ field: `${path}.contents`, description: 'must have bytes_contents alone' });
  if (bytesContents.length === count) return bytesContents;
  const description = `must have the ${count} elements of the shape, has ${bytesContents.length}`;
  violations.push({ field: `${path}.contents.bytes_contents`, description });
  return [];
}

function rawOf(
  { contents }: InputTensor,
  place: number,
  raw: Buffer,
  count: number,
  violations: Violations,
): readonly Buffer[] {
  // MLServer's converter sets one that is empty.
  if (Object.values(contents ?? {}).some(({ length }) => length > 0)) {
    const description = 'must not be set beside raw_input_contents';
    violations.push({ field: `inputs[${place}].contents`, description });
  }
  const elements = readElements(raw, count);
  if (typeof elements !== 'string') return elements;
  violations.push({ field: `raw_input_contents[${place}]`, description: elements });
  return [];
}

function decoded(bytes: Buffer): string | undefined {
  try {
    return decodeUtf8(bytes);
  } catch {
    return undefined;
  }
}

/** The error of one input, with its fields named as this protocol has them. */
export function locatedInRequest(error: unknown, position: number, { places }: InferJob): unknown {
  if (!(error instanceof VerdictError) || isRequestError(error)) return error;
  const place = `inputs[${places.text}][${position}]`;
  if (error.violations.length > 0) {
    const violations = error.violations.map(({ field, description }) => {
      const option = /^options\.(.*)$/.exec(field)?.[1];
      if (option === undefined) return { field: place, description };
      // Values have the names that the parameters take.
      const ownWords = description.replaceAll(/\bACTIVATION_(\w+)/g, (_, value: string) =>
        value.toLowerCase(),
      );
      return { field: `parameters.${option}`, description: ownWords };
    });
    return invalidFields(violations, error);
  }
  const { code, message, reason, cause } = error;
  return new VerdictError(code, `${place}: ${message}`, { reason, cause });
}
