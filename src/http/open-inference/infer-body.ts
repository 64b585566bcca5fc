import type { JsonValue } from '@bufbuild/protobuf';
import { invalidField } from '../../errors.js';
import { writeElements } from '../../rpc/open-inference/bytes-elements.js';
import type {
  InputTensor,
  ModelInferRequest,
  RequestedOutputTensor,
} from '../../rpc/open-inference/direct-methods.js';
import { maxShape, maxTensors } from '../../rpc/open-inference/repeated-limits.js';
import { isBoolean, isText, optional } from '../batch.js';
import { parseJson } from '../parse-json.js';
import { BinaryTail } from './binary-tail.js';
import { encodedParameters, type Fields, fieldsIn, isUnicode, parametersIn } from './json-fields.js';

/** The model that the path of a request names. */
export interface NamedModel {
  readonly model: string;
  /** A number or an alias; empty: not named. */
  readonly version: string;
}

/** An infer request, as the call carries it. */
export interface InferBody {
  /** Every tensor in `rawInputContents`, so that the answer has such tensors too. */
  readonly request: ModelInferRequest;
  /** Whether an output is wanted as binary data, by its place in the answer. */
  readonly isBinary: (place: number) => boolean;
}

interface ReadInput {
  readonly tensor: InputTensor;
  readonly raw: Buffer;
}

interface ReadOutput {
  readonly output: RequestedOutputTensor;
  /** Undefined: as the request says of all. */
  readonly isBinary: boolean | undefined;
}

/**
 * Reads the body of an infer request: JSON, with binary data behind it where the header says how long the JSON is. What tensors,
 * texts and parameters must be is left to the call.
 * @param jsonLength the value of that header
 * @throws VerdictError invalid_argument
 */
export function inferBodyFrom(body: Buffer, jsonLength: string | undefined, named: NamedModel): InferBody {
  const { json, tail } = BinaryTail.of(body, jsonLength);
  const fields = fieldsIn('body', parseJson(json), [
    ...['id', 'parameters', 'inputs', 'outputs'],
    ...['model_name', 'model_version'],
  ]);
  checkSame('model_name', fields, named.model);
  checkSame('model_version', fields, named.version);
  const { binary_data_output: allBinary, ...parameters } = parametersIn('parameters', fields.parameters);
  const binaryOutput = flag('parameters.binary_data_output', allBinary) ?? false;
  const inputs = listIn('inputs', fields.inputs, maxTensors).map((one, place) =>
    inputFrom(`inputs[${place}]`, one, tail),
  );
  tail.finish();
  const outputs = listIn('outputs', fields.outputs ?? [], maxTensors).map((one, place) =>
    outputFrom(`outputs[${place}]`, one),
  );
  return {
    request: {
      modelName: named.model,
      modelVersion: named.version,
      id: idFrom(fields),
      parameters: encodedParameters('parameters', parameters),
      inputs: inputs.map(({ tensor }) => tensor),
      outputs: outputs.map(({ output }) => output),
      rawInputContents: inputs.map(({ raw }) => raw),
    },
    isBinary: (place) => outputs[place]?.isBinary ?? binaryOutput,
  };
}

function inputFrom(field: string, json: JsonValue, tail: BinaryTail): ReadInput {
  const fields = fieldsIn(field, json, ['name', 'datatype', 'shape', 'parameters', 'data']);
  const name = textIn(field, 'name', fields);
  const datatype = textIn(field, 'datatype', fields);
  const shape = shapeFrom(`${field}.shape`, fields.shape);
  const { binary_data_size: given, ...parameters } = parametersIn(`${field}.parameters`, fields.parameters);
  const sizeField = `${field}.parameters.binary_data_size`;
  const size = optional(sizeField, given, isSize, 'must be a whole number of bytes');
  const { data } = fields;
  if (size !== undefined && data !== undefined)
    throw invalidField(`${field}.data`, 'must not be there beside binary_data_size');
  const tensor = {
    name,
    datatype,
    shape: shape.map(BigInt),
    parameters: encodedParameters(`${field}.parameters`, parameters),
    contents: undefined,
  };
  if (size !== undefined) return { tensor, raw: tail.take(size, sizeField) };
  // The data of other types is not read: the call refuses the type.
  return { tensor, raw: datatype === 'BYTES' ? textsFrom(`${field}.data`, data, shape) : Buffer.alloc(0) };
}

function outputFrom(field: string, json: JsonValue): ReadOutput {
  const fields = fieldsIn(field, json, ['name', 'parameters']);
  const { binary_data: binary, ...parameters } = parametersIn(`${field}.parameters`, fields.parameters);
  return {
    output: {
      name: textIn(field, 'name', fields),
      parameters: encodedParameters(`${field}.parameters`, parameters),
    },
    isBinary: flag(`${field}.parameters.binary_data`, binary),
  };
}

/** The texts of a tensor in JSON, as they lie in memory. They may stand flat, or each in an array of its own if the shape does so. */
function textsFrom(field: string, data: JsonValue | undefined, shape: readonly number[]): Buffer {
  const isNested = shape.length === 2 && Array.isArray(data) && Array.isArray(data[0]);
  const list = listIn(field, data);
  const count = shape.reduce((product, size) => product * size, 1);
  if (list.length !== count)
    throw invalidField(field, `must have the ${count} elements of the shape, has ${list.length}`);
  const texts = list.map((one, position) => {
    const text = isNested ? onlyIn(one) : one;
    if (typeof text !== 'string')
      throw invalidField(
        `${field}[${position}]`,
        isNested ? 'must be an array of one string' : 'must be a string',
      );
    if (!isUnicode(text))
      throw invalidField(`${field}[${position}]`, 'must be Unicode: half a character is none');
    return text;
  });
  return writeElements(texts);
}

function onlyIn(list: JsonValue): JsonValue | undefined {
  return Array.isArray(list) && list.length === 1 ? list[0] : undefined;
}

function shapeFrom(field: string, json: JsonValue | undefined): readonly number[] {
  const sizes = listIn(field, json, maxShape);
  if (sizes.every(isSize)) return sizes;
  throw invalidField(field, 'must be an array of whole numbers');
}

/** Exact, and not below 0. */
function isSize(value: JsonValue): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function idFrom(fields: Fields): string {
  const id = optional('id', fields.id, isText, 'must be a string') ?? '';
  if (!isUnicode(id)) throw invalidField('id', 'must be Unicode: half a character is none');
  return id;
}

/** The path names the model. What the body says must be the same. */
function checkSame(field: string, fields: Fields, named: string): void {
  const given = optional(field, fields[field], isText, 'must be a string') ?? '';
  if (given !== '' && given !== named)
    throw invalidField(field, 'is not the same in the path and in the body');
}

function textIn(field: string, name: string, fields: Fields): string {
  const value = fields[name];
  if (typeof value !== 'string') throw invalidField(`${field}.${name}`, 'must be a string');
  return value;
}

function flag(field: string, value: JsonValue | undefined): boolean | undefined {
  return optional(field, value, isBoolean, 'must be true or false');
}

function listIn(
  field: string,
  json: JsonValue | undefined,
  max = Number.POSITIVE_INFINITY,
): readonly JsonValue[] {
  if (!Array.isArray(json)) throw invalidField(field, 'must be an array');
  if (json.length > max) throw invalidField(field, `must have at most ${max} elements, has ${json.length}`);
  return json;
}
