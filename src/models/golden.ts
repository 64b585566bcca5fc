import { access } from 'node:fs/promises';
import type { Precision } from '../runtime/types.js';
import type { TextInput } from '../tokenizer/types.js';
import { isJsonObject, readJsonObject } from './json-file.js';
import { ModelLoadError } from './model-load-error.js';

/** One known input with what the reference implementation made of it. */
export interface GoldenEntry<I> {
  readonly input: I;
  readonly cost: number;
  /** The tensors that were recorded, by name. */
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  readonly truncated: boolean;
  readonly logits: readonly number[];
}

export interface Golden<I> {
  readonly entries: readonly GoldenEntry<I>[];
  /** Largest absolute difference that a logit may have, per precision. */
  readonly tolerance: Partial<Record<Precision, number>>;
}

/**
 * Reads the golden.json of a version that reads texts: token ids and logits that PyTorch recorded. Undefined if there is none:
 * the version can be served, unchecked.
 *
 * @throws ModelLoadError naming the entry and what it should hold
 */
export async function readGolden(
  path: string,
  labels: readonly string[],
): Promise<Golden<TextInput> | undefined> {
  const present = await access(path).then(
    () => true,
    () => false,
  );
  if (!present) return undefined;
  const file = await readJsonObject(path);
  if (!Array.isArray(file.entries) || file.entries.length === 0) {
    throw new ModelLoadError(path, 'entries must be a list with at least one entry');
  }
  return {
    entries: file.entries.map((entry: unknown, index) => readEntry(path, entry, index, labels.length)),
    tolerance: readTolerance(path, file.tolerance ?? {}),
  };
}

/** The entries that a lowered token limit leaves as they were recorded; undefined: none. */
export function goldenWithin<I>(golden: Golden<I> | undefined, maxCost: number): Golden<I> | undefined {
  const entries = golden?.entries.filter(({ cost }) => cost <= maxCost) ?? [];
  return golden === undefined || entries.length === 0 ? undefined : { ...golden, entries };
}

function readTolerance(path: string, tolerance: unknown): Golden<unknown>['tolerance'] {
  if (!isJsonObject(tolerance)) throw new ModelLoadError(path, 'tolerance must be an object');
  for (const [precision, value] of Object.entries(tolerance)) {
    if (!isFiniteNumber(value) || value < 0) {
      throw new ModelLoadError(path, `tolerance.${precision} must be a number of at least 0`);
    }
  }
  return tolerance;
}

function readEntry(path: string, entry: unknown, index: number, labelCount: number): GoldenEntry<TextInput> {
  if (!isJsonObject(entry)) throw new ModelLoadError(path, `entries[${index}] must be an object`);
  const { text, text_pair: textPair, token_ids: tokenIds, truncated, logits } = entry;
  if (typeof text !== 'string') throw new ModelLoadError(path, `entries[${index}].text must be a string`);
  if (!isNumbers(tokenIds) || !tokenIds.every((id) => Number.isInteger(id) && id >= 0)) {
    throw new ModelLoadError(path, `entries[${index}].token_ids must be a list of token ids`);
  }
  if (!isNumbers(logits) || logits.length !== labelCount) {
    throw new ModelLoadError(path, `entries[${index}].logits must be a list of ${labelCount} finite numbers`);
  }
  return {
    input: typeof textPair === 'string' ? { text, textPair } : { text },
    cost: tokenIds.length,
    tensors: { input_ids: tokenIds },
    truncated: truncated === true,
    logits,
  };
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isFiniteNumber);
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
