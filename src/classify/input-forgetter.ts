import { setImmediate as nextTurn } from 'node:timers/promises';
import { type CacheKey, type Keyspace, type ResultCache, sharedKeyspace } from '../cache/types.js';
import type { TextInput, Truncation } from '../tokenizer/types.js';
import type { ClassifyingModel } from './classifier-pipeline.js';
import type { ForgetRequest, Forgetter, Forgotten, ForgottenVersion } from './types.js';

/** A version whose answers may be in the cache. */
export interface ForgettableVersion extends ForgottenVersion, Pick<ClassifyingModel, 'cacheKey'> {}

export interface ForgettableModels {
  /**
   * The versions that may have answers in the cache: those that are loaded, and those that were.
   * @param model empty: those of all models
   * @throws VerdictError not_found; unavailable for a model of which no version ever was loaded
   */
  answering(model: string): readonly ForgettableVersion[];
}

export interface InputForgetterParts {
  readonly models: ForgettableModels;
  readonly cache: Pick<ResultCache, 'forget'>;
  /** The inputs that are kept beside their answers; undefined: none are. */
  readonly recent?: { forget(input: TextInput, isMeant: (model: string) => boolean): void } | undefined;
  /** The names of callers that may have caches of their own. */
  readonly callers: () => readonly Keyspace[];
  /** Seconds after which Redis holds nothing more that could not be named; 0 without Redis. */
  readonly othersExpireSeconds: number;
}

/** An answer is kept under the truncation that was asked for. */
const truncations: Readonly<Record<Truncation, Truncation>> = {
  end: 'end',
  start: 'start',
  reject: 'reject',
};

/** Entries that are named, and removed, in one turn: there may be thousands of callers. */
const keysAtOnce = 256;

/** Removes all answers for an input that can be named: of each version that is loaded or was, each truncation, and each caller with a cache of its own. */
export class InputForgetter implements Forgetter {
  readonly #parts: InputForgetterParts;

  constructor(parts: InputForgetterParts) {
    this.#parts = parts;
  }

  async forget({ model, input, caller, mayUse }: ForgetRequest, signal: AbortSignal): Promise<Forgotten> {
    const { models, cache, recent, callers, othersExpireSeconds } = this.#parts;
    const versions = models.answering(model).filter(({ name }) => mayUse(name));
    recent?.forget(input, (name) => (model === '' || name === model) && mayUse(name));
    const keyspaces = new Set([sharedKeyspace, ...callers(), ...(caller === '' ? [] : [caller])]);
    let [fromMemory, fromRedis] = [0, 0];
    for (const keys of chunks(keysOf(versions, input, keyspaces))) {
      signal.throwIfAborted();
      const removed = await cache.forget(keys);
      fromMemory += removed.memory;
      fromRedis += removed.redis;
      await nextTurn();
    }
    return {
      versions: versions.map(({ name, version, digest }) => ({ name, version, digest })),
      fromMemory,
      fromRedis,
      othersExpireSeconds,
    };
  }
}

function* keysOf(
  versions: readonly ForgettableVersion[],
  input: TextInput,
  keyspaces: Iterable<Keyspace>,
): Generator<CacheKey> {
  for (const keyspace of keyspaces)
    for (const version of versions)
      for (const truncation of Object.values(truncations))
        yield version.cacheKey(input, truncation, keyspace);
}

function* chunks(keys: Iterable<CacheKey>): Generator<CacheKey[]> {
  let chunk: CacheKey[] = [];
  for (const key of keys) {
    chunk.push(key);
    if (chunk.length < keysAtOnce) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
