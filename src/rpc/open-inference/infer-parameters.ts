import type { InferParameter } from '../../../generated/inference/grpc_service.js';
import type { CacheMode } from '../../cache/types.js';
import type { ServiceClass } from '../../claim.js';
import type { Activation, ClassifyOptions } from '../../classify/types.js';
import type { Truncation } from '../../tokenizer/types.js';
import { defaultOptions, type Violations } from '../validation.js';

/** The parameters of a request. */
export interface InferOptions {
  readonly classify: ClassifyOptions;
  /** How long the request may take, in milliseconds; undefined: it does not say. */
  readonly timeoutMs: number | undefined;
  /** The class that its priority asks for; undefined: that of its call. */
  readonly serviceClass: ServiceClass | undefined;
}

/** What a parameter holds, in JavaScript's types. */
type Value = string | number | boolean;

interface Draft {
  topK: number;
  minScore: number | undefined;
  activation: Activation | undefined;
  truncation: Truncation | undefined;
  cache: CacheMode;
  timeoutMs: number | undefined;
  serviceClass: ServiceClass | undefined;
}

interface Parameter {
  readonly takes: string;
  /** Returns whether the value is one that the parameter takes. */
  read(draft: Draft, value: Value): boolean;
}

const maxUint32 = 2 ** 32 - 1;

function isWhole(value: Value): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function oneOf<const Names extends readonly string[]>(
  names: Names,
  set: (draft: Draft, name: Names[number]) => void,
): Parameter {
  return {
    takes: `one of the strings ${names.join(', ')}`,
    read(draft, value) {
      const name = names.find((known) => known === value);
      if (name !== undefined) set(draft, name);
      return name !== undefined;
    },
  };
}

/** What clients of Triton send, and what has no meaning for a classifier: each of its answers is complete, and it keeps nothing. */
const flag: Parameter = { takes: 'a boolean', read: (_, value) => typeof value === 'boolean' };

const knownOfRequests: ReadonlyMap<string, Parameter> = new Map<string, Parameter>([
  [
    'top_k',
    {
      takes: `a whole number from 0 to ${maxUint32}`,
      read(draft, value) {
        if (!isWhole(value) || value > maxUint32) return false;
        draft.topK = value;
        return true;
      },
    },
  ],
  [
    'min_score',
    {
      takes: 'a finite number',
      read(draft, value) {
        if (typeof value !== 'number' || !Number.isFinite(value)) return false;
        draft.minScore = value;
        return true;
      },
    },
  ],
  [
    'activation',
    oneOf(['softmax', 'sigmoid', 'none'], (draft, name) => {
      draft.activation = name;
    }),
  ],
  [
    'truncation',
    oneOf(['end', 'start', 'reject'], (draft, name) => {
      draft.truncation = name;
    }),
  ],
  [
    'cache',
    oneOf(['use', 'bypass', 'refresh'], (draft, name) => {
      draft.cache = name;
    }),
  ],
  [
    'priority',
    {
      takes: 'a whole number: 0 for that of the call, 1 for interactive, more for bulk',
      read(draft, value) {
        if (!isWhole(value)) return false;
        if (value > 0) draft.serviceClass = value === 1 ? 'interactive' : 'bulk';
        return true;
      },
    },
  ],
  [
    'timeout',
    {
      takes: 'a whole number of microseconds, or 0 for none',
      read(draft, value) {
        if (!isWhole(value)) return false;
        if (value > 0) draft.timeoutMs = value / 1000;
        return true;
      },
    },
  ],
  [
    'sequence_id',
    {
      takes: 'a whole number or a string',
      read: (_, value) => typeof value === 'string' || isWhole(value),
    },
  ],
  ['sequence_start', flag],
  ['sequence_end', flag],
  ['triton_enable_empty_final_response', flag],
  // What MLServer's codecs write of a request: texts, or columns of a table, which are tensors here too.
  ['content_type', oneOf(['str', 'pd'], () => {})],
]);

/** What MLServer's codecs write beside texts in UTF-8. */
const textContent: Parameter = { takes: 'the string str', read: (_, value) => value === 'str' };

const knownOfTensors: ReadonlyMap<string, Parameter> = new Map([['content_type', textContent]]);

type Parameters = Readonly<Record<string, InferParameter>>;

const defaults: InferOptions = { classify: defaultOptions, timeoutMs: undefined, serviceClass: undefined };

/** Reads the parameters of a request. */
export function inferOptionsFrom(parameters: Parameters, violations: Violations): InferOptions {
  const names = namesOf(parameters);
  if (names.length === 0) return defaults;
  const draft = newDraft();
  readInto(draft, parameters, 'parameters', knownOfRequests, violations);
  const { timeoutMs, serviceClass, ...classify } = draft;
  return { classify, timeoutMs, serviceClass };
}

/** Checks the parameters of an input. @param path of the field that holds them */
export function checkTensorParameters(parameters: Parameters, path: string, violations: Violations): void {
  readInto(newDraft(), parameters, path, knownOfTensors, violations);
}

function newDraft(): Draft {
  return { ...defaultOptions, timeoutMs: undefined, serviceClass: undefined };
}

function readInto(
  draft: Draft,
  parameters: Parameters,
  path: string,
  taken: ReadonlyMap<string, Parameter>,
  violations: Violations,
): void {
  for (const name of namesOf(parameters)) {
    const field = parameterField(path, name);
    const parameter = taken.get(name);
    const given = parameters[name];
    if (parameter === undefined || given === undefined) {
      const names = [...taken.keys()].join(', ');
      const known = taken.size === 1 ? `The only one known is ${names}` : `Known are ${names}`;
      violations.push({ field, description: `is not a known parameter. ${known}` });
    } else if (!parameter.read(draft, heldBy(given)))
      violations.push({ field, description: `must be ${parameter.takes}` });
  }
}

/** Refuses all parameters, but for one. @param path of the field that holds them */
export function refuseParameters(
  parameters: object,
  path: string,
  violations: Violations,
  but?: string,
): void {
  for (const name of namesOf(parameters).filter((one) => one !== but))
    violations.push({ field: parameterField(path, name), description: 'is not a known parameter' });
}

/** Numbers beyond 2^53 lose their last digits: they are too large for every parameter that counts. */
function heldBy({ parameterChoice }: InferParameter): Value {
  const value = parameterChoice?.value ?? '';
  return typeof value === 'bigint' ? Number(value) : value;
}

/** The decoder makes a parameter named `__proto__` the object's prototype instead of an entry. */
function namesOf(parameters: object): string[] {
  const names = Object.keys(parameters);
  return Object.getPrototypeOf(parameters) === Object.prototype ? names : [...names, '__proto__'];
}

const printable = /^[\w.-]{1,64}$/;

/** Where a parameter is, for errors. Names that could be anything are not repeated. */
export function parameterField(path: string, name: string): string {
  return printable.test(name) ? `${path}.${name}` : path;
}
