import { type InferParameter, ModelInferRequest } from '../../generated/inference/grpc_service.js';
import { writeElements } from '../../src/rpc/open-inference/bytes-elements.js';

type Rest = Parameters<typeof ModelInferRequest.fromPartial>[0];

/** One tensor of texts, in its contents. */
export function textTensor(texts: readonly string[], name = 'text') {
  const bytesContents = texts.map((text) => Buffer.from(text));
  return { name, datatype: 'BYTES', shape: [BigInt(texts.length)], contents: { bytesContents } };
}

/** A ModelInferRequest for some texts. */
export function inferRequest(texts: readonly string[], rest: Rest = {}): ModelInferRequest {
  return ModelInferRequest.fromPartial({ inputs: [textTensor(texts)], ...rest });
}

/** The same with the texts as they lie in memory. */
export function rawInferRequest(texts: readonly string[], rest: Rest = {}): ModelInferRequest {
  const { name, datatype, shape } = textTensor(texts);
  return ModelInferRequest.fromPartial({
    inputs: [{ name, datatype, shape }],
    rawInputContents: [writeElements(texts)],
    ...rest,
  });
}

/** Parameters of a request: numbers are `double` unless they are bigints, which are `int64`. */
export function inferParameters(
  values: Readonly<Record<string, string | number | bigint | boolean>>,
): Record<string, InferParameter> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { parameterChoice: choiceOf(value) }]),
  );
}

function choiceOf(value: string | number | bigint | boolean): NonNullable<InferParameter['parameterChoice']> {
  switch (typeof value) {
    case 'string':
      return { $case: 'stringParam', value };
    case 'number':
      return { $case: 'doubleParam', value };
    case 'bigint':
      return { $case: 'int64Param', value };
    case 'boolean':
      return { $case: 'boolParam', value };
  }
}
