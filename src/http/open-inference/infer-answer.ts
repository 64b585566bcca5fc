import type { JsonValue } from '@bufbuild/protobuf';
import { readElements } from '../../rpc/open-inference/bytes-elements.js';
import type { ModelInferResponse } from '../../rpc/open-inference/direct-methods.js';
import { type NumberType, readNumbers } from '../../rpc/open-inference/number-elements.js';
import type { ProtocolAnswer } from '../unary-exchange.js';
import { jsonLengthHeader } from './binary-tail.js';

/**
 * The answer to an infer request: JSON, and behind it the outputs that are wanted as binary data.
 * @param isBinary says by its place whether an output is
 */
export function inferAnswer(
  { modelName, modelVersion, id, outputs, rawOutputContents }: ModelInferResponse,
  isBinary: (place: number) => boolean,
): ProtocolAnswer {
  const tail: Buffer[] = [];
  const written = outputs.map(({ name, datatype, shape }, place) => {
    const raw = rawOutputContents[place] ?? Buffer.alloc(0);
    const sizes = shape.map(Number);
    const head = { name, datatype, shape: sizes };
    if (!isBinary(place)) return { ...head, data: elementsIn(raw, datatype, sizes) };
    tail.push(raw);
    return { ...head, parameters: { binary_data_size: raw.length } };
  });
  const body = {
    model_name: modelName,
    model_version: modelVersion,
    ...(id === '' ? {} : { id }),
    outputs: written,
  };
  return tail.length === 0 ? { body } : withTail(body, tail);
}

function withTail(body: JsonValue, tail: readonly Buffer[]): ProtocolAnswer {
  const json = Buffer.from(JSON.stringify(body));
  return {
    body: Buffer.concat([json, ...tail]),
    headers: { 'content-type': 'application/octet-stream', [jsonLengthHeader]: String(json.length) },
  };
}

function elementsIn(raw: Buffer, datatype: string, shape: readonly number[]): string[] | number[] {
  if (datatype !== 'BYTES') return readNumbers(datatype as NumberType, raw);
  const elements = readElements(
    raw,
    shape.reduce((product, size) => product * size, 1),
  );
  if (typeof elements === 'string') throw new Error(`the answer ${elements}`);
  return elements.map(String);
}
