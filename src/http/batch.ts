import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { invalidField } from '../errors.js';
import type { Contract, ContractMethod } from './contract.js';
import { FailedAnswer } from './failed-answer.js';
import type { ProtocolRequest } from './unary-exchange.js';

/** A text, or two that belong together. */
export type Input = string | readonly [text: string, textPair: string];

/** What a request of another protocol asks of the inputs that it holds. */
export interface BatchWish {
  /** Empty: the default one. */
  readonly model: string;
  readonly options: JsonObject;
}

/** One label and its score. */
export interface Scored {
  readonly label: string;
  readonly score: number;
}

/** What became of one input; of the answer of BatchClassify in JSON, as far as other protocols tell it. */
export interface Classified {
  readonly predictions: readonly Scored[];
  readonly model: string;
  readonly version: string;
  readonly tokenCount: number;
  /** Undefined: the caller may not see them. */
  readonly timings?: Readonly<Record<'tokenizeMs' | 'queueMs' | 'inferenceMs' | 'totalMs', number>>;
}

interface BatchAnswer {
  readonly results: readonly { readonly classification?: Classified; readonly error?: JsonObject }[];
}

/** The method that all other protocols speak to the models through: one input or many. */
export function batchMethod(contract: Contract): ContractMethod {
  return contract.method('/verdict.v1.ClassifierService/BatchClassify');
}

/** One input competes as a unary call does, several as a batch. */
export function batchRequest(inputs: readonly Input[], { model, options }: BatchWish): ProtocolRequest {
  return {
    message: {
      model,
      options,
      inputs: inputs.map((input) =>
        typeof input === 'string' ? { text: input } : { pair: { text: input[0], textPair: input[1] } },
      ),
    },
    isInteractive: inputs.length === 1,
  };
}

/** What became of the inputs, in their order. */
export function classifiedIn(answer: JsonObject): readonly Classified[] | FailedAnswer {
  const { results } = answer as unknown as BatchAnswer;
  const classified: Classified[] = [];
  for (const { classification, error } of results) {
    if (classification === undefined) return new FailedAnswer(error as FailedAnswer['status']);
    classified.push(classification);
  }
  return classified;
}

/** The fields of a JSON object. @param field where it stands @throws VerdictError invalid_argument */
export function fieldsOf(json: unknown, field = 'body'): Readonly<Record<string, JsonValue | undefined>> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject;
  throw invalidField(field, 'must be a JSON object');
}

/** A field that may be left out, or be null. @throws VerdictError invalid_argument */
export function optional<T extends JsonValue>(
  field: string,
  value: JsonValue | undefined,
  is: (value: JsonValue) => value is T,
  description: string,
): T | undefined {
  if (value === undefined || value === null) return undefined;
  if (is(value)) return value;
  throw invalidField(field, description);
}

export function isText(value: JsonValue): value is string {
  return typeof value === 'string';
}

export function isBoolean(value: JsonValue): value is boolean {
  return typeof value === 'boolean';
}

export function isCount(value: JsonValue): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 2 ** 32;
}

export function isTexts(value: JsonValue): value is string[] {
  return Array.isArray(value) && value.every(isText);
}
