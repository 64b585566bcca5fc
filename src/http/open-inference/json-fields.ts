import type { JsonValue } from '@bufbuild/protobuf';
import { invalidField } from '../../errors.js';
import { parameterField } from '../../rpc/open-inference/infer-parameters.js';
import { maxParameters } from '../../rpc/open-inference/repeated-limits.js';

/** A parameter, as the messages of the protocol have it. */
interface Encoded<Choice> {
  readonly parameterChoice: Choice;
}

/** What messages about models have. */
type WholeChoice =
  | { readonly $case: 'stringParam'; readonly value: string }
  | { readonly $case: 'boolParam'; readonly value: boolean }
  | { readonly $case: 'int64Param'; readonly value: bigint };

/** Requests for inference have fractions too. */
type Choice = WholeChoice | { readonly $case: 'doubleParam'; readonly value: number };

/** The fields of a JSON object, those that are null left out. */
export type Fields = Readonly<Record<string, JsonValue>>;

/**
 * The fields of an object.
 * @param field where it stands, for errors
 * @param known the names that it may have; a name that is misspelt would otherwise be passed over
 * @throws VerdictError invalid_argument
 */
export function fieldsIn(field: string, json: unknown, known: readonly string[]): Fields {
  const fields = objectIn(field, json);
  if (Object.keys(fields).some((name) => !known.includes(name)))
    throw invalidField(field, `has a field that is not known. Known are ${known.join(', ')}`);
  return fields;
}

/**
 * The parameters of a request or a tensor; none where there is nothing.
 * @param field where they stand, for errors
 * @throws VerdictError invalid_argument
 */
export function parametersIn(
  field: string,
  json: JsonValue | undefined,
): Readonly<Record<string, JsonValue>> {
  const parameters = json === undefined ? {} : objectIn(field, json);
  const count = Object.keys(parameters).length;
  if (count > maxParameters)
    throw invalidField(field, `must have at most ${maxParameters} elements, has ${count}`);
  return parameters;
}

/**
 * The same as the call carries them. Whole numbers are `int64` as long as they are exact.
 * @throws VerdictError invalid_argument for one that is no string, number or boolean
 */
export function encodedParameters(
  field: string,
  parameters: Readonly<Record<string, JsonValue>>,
): Record<string, Encoded<Choice>> {
  return encodedAs(field, parameters, choiceOf);
}

/** The same of a request that loads or unloads. @throws VerdictError invalid_argument for a fraction, too */
export function encodedWholeParameters(
  field: string,
  parameters: Readonly<Record<string, JsonValue>>,
): Record<string, Encoded<WholeChoice>> {
  return encodedAs(field, parameters, (name, value) => {
    const choice = choiceOf(name, value);
    if (choice.$case === 'doubleParam')
      throw invalidField(name, 'must be a string, a whole number or a boolean');
    return choice;
  });
}

function encodedAs<C>(
  field: string,
  parameters: Readonly<Record<string, JsonValue>>,
  encode: (field: string, value: JsonValue) => C,
): Record<string, Encoded<C>> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name,
      { parameterChoice: encode(parameterField(field, name), value) },
    ]),
  );
}

function choiceOf(field: string, value: JsonValue): Choice {
  switch (typeof value) {
    case 'string':
      return { $case: 'stringParam', value };
    case 'boolean':
      return { $case: 'boolParam', value };
    case 'number':
      return Number.isSafeInteger(value)
        ? { $case: 'int64Param', value: BigInt(value) }
        : { $case: 'doubleParam', value };
    default:
      throw invalidField(field, 'must be a string, a number or a boolean');
  }
}

function objectIn(field: string, json: unknown): Fields {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw invalidField(field, 'must be a JSON object');
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}

const loneSurrogate = /\p{Surrogate}/u;

/** Whether a text can be written as UTF-8. */
export function isUnicode(text: string): boolean {
  return !loneSurrogate.test(text);
}
