import type { CallOptions } from './types.js';

/** What `forget` takes beside its input. */
export interface ForgetOptions extends CallOptions {
  /** Left out: every model that the caller may use. */
  readonly model?: string | undefined;
  /** One more caller with a cache of its own, beside those that the server knows: `key:search`, `jwt:alice`. */
  readonly caller?: string | undefined;
}

/** A version of a model whose answers for an input were removed. */
export interface ForgottenVersion {
  readonly model: string;
  readonly version: string;
  readonly digest: string;
}

/** What was forgotten. */
export interface ForgetResult {
  /** Those that are loaded. */
  readonly versions: readonly ForgottenVersion[];
  /** Answers removed from the memory of the server that replied. Other servers keep theirs: ask each of them. */
  readonly removedFromMemory: number;
  /** Answers removed from Redis, which all servers share. */
  readonly removedFromRedis: number;
  /** Seconds after which Redis holds none of the answers that could not be named; 0 without Redis. */
  readonly othersExpireSeconds: number;
}
