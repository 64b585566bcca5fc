import { hash } from 'node:crypto';
import type { Truncation } from '../tokenizer/types.js';
import { type CacheKey, type Keyspace, sharedKeyspace } from './types.js';

declare global {
  interface String {
    /** ES2024, and in every Node from 20 on. */
    isWellFormed(): boolean;
  }
}

/** 22 characters of base64url carry 132 bits; to find two texts that share a key, an attacker must try 2^66 hashes. */
const KEY_CHARS = 22;

/**
 * Raise it when the hashed content changes, so that replicas of two releases do not share keys that mean different
 * things.
 */
const LAYOUT = 'v1';
/** Of keys in a keyspace that is one caller's own. No shared message begins like this. */
const OWN_LAYOUT = 'v1.own';

/**
 * Makes the keys of one model's results: a truncated SHA-256 over keyspace, model digest, truncation and input, each written so
 * that no two inputs, and no two callers, give the same message.
 */
export class CacheKeyer {
  readonly #digest: string;
  readonly #prefix: string;

  /** @param modelDigest digest over everything that decides the logits: weights, tokenizer, labels, precision */
  constructor(modelDigest: string) {
    this.#digest = `${modelDigest.length}:${modelDigest}|`;
    this.#prefix = `${LAYOUT}|${this.#digest}`;
  }

  /** @param input identifies the input */
  key(input: string, truncation: Truncation, keyspace: Keyspace = sharedKeyspace): CacheKey {
    const prefix =
      keyspace === sharedKeyspace
        ? this.#prefix
        : `${OWN_LAYOUT}|${keyspace.length}:${keyspace}|${this.#digest}`;
    const message = `${prefix}${truncation}|${input}`;
    // One call of `hash` on a string takes half the time of a Hash object, even of a copy of a ready-made one.
    return hash('sha256', message.isWellFormed() ? message : exactBytes(message), 'base64url').slice(
      0,
      KEY_CHARS,
    );
  }
}

/**
 * UTF-8 would write every lone surrogate as U+FFFD, but a tokenizer can tell them apart. UTF-16 keeps them, and cannot
 * equal a message in UTF-8: its second byte is the zero half of an ASCII character.
 */
function exactBytes(message: string): Buffer {
  return Buffer.from(message, 'utf16le');
}
