import type {
  ClassifyOptions as OptionsMessage,
  TextPair,
} from '../../generated/verdict/v1/classification.js';
import type { CacheMode } from '../cache/types.js';
import type { Activation, ClassifyOptions, InputRequest } from '../classify/types.js';
import { type FieldViolation, VerdictError } from '../errors.js';
import { modelNamePattern } from '../models/model-name.js';
import { aliasPattern, versionPattern } from '../models/routing.js';
import type { TextInput, Truncation } from '../tokenizer/types.js';
import { routingKeyOf } from './metadata.js';
import type { Call } from './route.js';
import type { RequestLimits } from './server-options.js';

/** Collects what is wrong with a message: every field, not only the first. */
export type Violations = FieldViolation[];

type InputMessage = { $case: 'text'; value: string } | { $case: 'pair'; value: TextPair } | undefined;

/** By enum number; number 0 is "follow the model". */
const activations: readonly (Activation | undefined)[] = [undefined, 'softmax', 'sigmoid', 'none'];
const truncations: readonly (Truncation | undefined)[] = [undefined, 'end', 'start', 'reject'];
const cacheModes: readonly CacheMode[] = ['use', 'bypass', 'refresh'];

/** What a request without options gets. */
export const defaultOptions: ClassifyOptions = Object.freeze({
  topK: 1,
  minScore: undefined,
  activation: undefined,
  truncation: undefined,
  cache: 'use',
});

const versionNumber = /^[1-9][0-9]{0,15}$/;
/** Something to see: neither white space nor a character that is drawn as nothing (zero-width space, joiners). */
const visible = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}]/u;

/** @throws VerdictError invalid_argument that names all of them, unless there are none */
export function refuse(violations: Violations): void {
  if (violations.length > 0) throw invalidFields(violations);
}

/** One INVALID_ARGUMENT error for all violations. Its message quotes the first. */
export function invalidFields(
  violations: readonly FieldViolation[],
  { reason } = { reason: 'INVALID_FIELD' },
): VerdictError {
  const [first] = violations;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
  const message = first === undefined ? 'invalid request' : `${first.field}: ${first.description}${more}`;
  return new VerdictError('invalid_argument', message, { reason, violations });
}

/** Checks the name of a model; empty is the default one's. */
export function checkModel(model: string, field: string, violations: Violations): void {
  if (model !== '' && !modelNamePattern.test(model)) {
    violations.push({ field, description: 'must match [a-z0-9][a-z0-9._-]{0,63}, or be empty' });
  }
}

/** Checks the name of a model that has to be named, the default one too: what changes it should say so. */
export function checkNamedModel(model: string, violations: Violations): void {
  if (model === '') violations.push({ field: 'model', description: 'must be set' });
  checkModel(model, 'model', violations);
}

/** Checks a version, or an alias of one; empty is the serving one. */
export function checkVersion(version: string, field: string, violations: Violations): void {
  if (version !== '' && !versionNumber.test(version) && !aliasPattern.test(version)) {
    violations.push({
      field,
      description:
        'must be a positive integer without leading zeros, an alias matching [a-z][a-z0-9._-]{0,63}, or empty',
    });
  }
}

/** Checks a version that an administrator names, by its number. */
export function checkVersionNumber(version: string, field: string, violations: Violations): void {
  if (!versionPattern.test(version))
    violations.push({
      field,
      description: 'must be a positive integer of at most 9 digits, without leading zeros',
    });
}

/** Checks an alias. */
export function checkAlias(alias: string, violations: Violations): void {
  if (!aliasPattern.test(alias))
    violations.push({ field: 'alias', description: 'must match [a-z][a-z0-9._-]{0,63}' });
}

/** The options, or the default ones where there are none. `path` is the field that holds them. */
export function optionsFrom(
  options: OptionsMessage | undefined,
  path: string,
  violations: Violations,
): ClassifyOptions {
  if (options === undefined) return defaultOptions;
  if (options.minScore !== undefined && !Number.isFinite(options.minScore)) {
    violations.push({ field: `${path}.min_score`, description: 'must be a finite number' });
  }
  checkEnum(options.activation, activations.length, `${path}.activation`, violations);
  checkEnum(options.truncation, truncations.length, `${path}.truncation`, violations);
  checkEnum(options.cache, cacheModes.length, `${path}.cache`, violations);
  return {
    topK: options.topK ?? 1,
    minScore: options.minScore,
    activation: activations[options.activation],
    truncation: truncations[options.truncation],
    cache: cacheModes[options.cache] ?? 'use',
  };
}

/** Checks that an enum number is one of the known ones, which run from 0 to `count - 1`. */
export function checkEnum(value: number, count: number, field: string, violations: Violations): void {
  if (value < 0 || value >= count)
    violations.push({ field, description: `must be one of 0 to ${count - 1}` });
}

/** The text or pair to classify. `path` goes before the field names. */
export function inputFrom(
  input: InputMessage,
  path: string,
  limits: RequestLimits,
  violations: Violations,
): TextInput {
  if (input === undefined) {
    violations.push({ field: `${path}input`, description: 'text or pair must be set' });
    return { text: '' };
  }
  if (input.$case === 'text') {
    const problem = textProblem(input.value, limits);
    if (problem !== undefined) violations.push({ field: `${path}text`, description: problem });
    return { text: input.value };
  }
  const { text, textPair } = input.value;
  const problem = textProblem(text, limits);
  if (problem !== undefined) violations.push({ field: `${path}pair.text`, description: problem });
  const pairProblem = textProblem(textPair, limits);
  if (pairProblem !== undefined)
    violations.push({ field: `${path}pair.text_pair`, description: pairProblem });
  return { text, textPair };
}

/** What is wrong with a text; undefined: nothing. */
export function textProblem(text: string, { maxTextChars }: RequestLimits): string | undefined {
  if (text.length > maxTextChars) {
    return `must have at most ${maxTextChars} UTF-16 units, has ${text.length}`;
  }
  const first = text.charCodeAt(0);
  if ((first > 0x20 && first < 0x7f) || visible.test(text)) return undefined;
  return text === '' ? 'must not be empty' : 'must hold more than white space';
}

/** What applies where a message says nothing. */
export interface InputDefaults {
  readonly model: string;
  readonly options: ClassifyOptions;
  /** Of the call. */
  readonly routingKey?: string | undefined;
}

/** The defaults of a call of its own. */
export const callDefaults: InputDefaults = { model: '', options: defaultOptions };

/** The same, with what the call says of all its inputs. @throws VerdictError invalid_argument for metadata that is wrong */
export function defaultsOf(call: Pick<Call<never>, 'metadata'>, defaults = callDefaults): InputDefaults {
  const routingKey = routingKeyOf(call);
  return routingKey === undefined ? defaults : { ...defaults, routingKey };
}

/**
 * One input with the model and options of its own message.
 * @param violations what was found wrong with the message before
 * @throws VerdictError invalid_argument
 */
export function inputRequestFrom(
  request: {
    readonly model: string;
    readonly version: string;
    readonly input: InputMessage;
    readonly options: OptionsMessage | undefined;
  },
  defaults: InputDefaults,
  limits: RequestLimits,
  violations: Violations = [],
): InputRequest {
  checkModel(request.model, 'model', violations);
  checkVersion(request.version, 'version', violations);
  const input = inputFrom(request.input, '', limits, violations);
  const options =
    request.options === undefined ? defaults.options : optionsFrom(request.options, 'options', violations);
  refuse(violations);
  const { routingKey } = defaults;
  return { model: request.model || defaults.model, version: request.version, input, options, routingKey };
}
