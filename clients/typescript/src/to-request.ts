import {
  type TextPair,
  Activation as WireActivation,
  CacheMode as WireCacheMode,
  type ClassifyOptions as WireOptions,
  Truncation as WireTruncation,
} from '../../../generated/verdict/v1/classification.js';
import { invalidArgument } from './client-error.js';
import type { Activation, CacheMode, ClassifyInput, ClassifyOptions, Truncation } from './types.js';

const ACTIVATIONS = {
  softmax: WireActivation.SOFTMAX,
  sigmoid: WireActivation.SIGMOID,
  none: WireActivation.NONE,
} as const satisfies Record<Activation, WireActivation>;

const TRUNCATIONS = {
  end: WireTruncation.END,
  start: WireTruncation.START,
  reject: WireTruncation.REJECT,
} as const satisfies Record<Truncation, WireTruncation>;

const CACHE_MODES = {
  use: WireCacheMode.UNSPECIFIED,
  bypass: WireCacheMode.BYPASS,
  refresh: WireCacheMode.REFRESH,
} as const satisfies Record<CacheMode, WireCacheMode>;

const MAX_UINT32 = 2 ** 32 - 1;

/** The `input` oneof, which all three requests share. */
export type WireInput = { $case: 'text'; value: string } | { $case: 'pair'; value: TextPair };

/** @throws VerdictClientError INVALID_ARGUMENT for what is no text, which only untyped callers can pass */
export function toWireInput(input: ClassifyInput): WireInput {
  if (typeof input === 'string') return { $case: 'text', value: input };
  const { text, textPair } = input;
  if (typeof text !== 'string') throw invalidArgument('text must be a string');
  if (textPair === undefined) return { $case: 'text', value: text };
  if (typeof textPair !== 'string') throw invalidArgument('textPair must be a string');
  return { $case: 'pair', value: { text, textPair } };
}

/**
 * The options message, or `undefined` where nothing is set, so that an item follows its stream's defaults.
 * @throws VerdictClientError INVALID_ARGUMENT for what cannot be encoded; the server judges the rest
 */
export function toWireOptions(options: ClassifyOptions | undefined): WireOptions | undefined {
  if (options === undefined) return undefined;
  const { topK, minScore, activation, truncation, cache } = options;
  if ((topK ?? minScore ?? activation ?? truncation ?? cache) === undefined) return undefined;
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 0 && topK <= MAX_UINT32)) {
    throw invalidArgument('topK must be a whole number, 0 or more');
  }
  return {
    topK,
    minScore,
    activation:
      activation === undefined ? WireActivation.UNSPECIFIED : pick('activation', ACTIVATIONS, activation),
    truncation:
      truncation === undefined ? WireTruncation.UNSPECIFIED : pick('truncation', TRUNCATIONS, truncation),
    cache: cache === undefined ? WireCacheMode.UNSPECIFIED : pick('cache', CACHE_MODES, cache),
  };
}

function pick<K extends string, V>(name: string, values: Readonly<Record<K, V>>, key: K): V {
  if (Object.hasOwn(values, key)) return values[key];
  throw invalidArgument(`${name} must be one of ${Object.keys(values).join(', ')}`);
}
