import { hash } from 'node:crypto';
import type { TextInput, Truncation } from '../tokenizer/types.js';
import type { CacheKey } from './types.js';

declare global {
  interface String {
    /** ES2024, and in every Node from 20 on. */
    isWellFormed(): boolean;
  }
}

/** 22 characters of base64url carry 132 bits; whoever wants two texts to share a key has 2^66 hashes to try. */
const KEY_CHARS = 22;

/** Raised when what is hashed changes, so that replicas of two releases share no keys that mean different things. */
const LAYOUT = 'v1';

/**
 * Makes the keys of one model's results: a truncated SHA-256 over model digest, truncation and input. Every part
 * is preceded by its length, so no two inputs spell the same message: not `ab` + `c` and `a` + `bc`, nor a text and
 * a pair whose second text is empty.
 */
export class CacheKeyer {
  readonly #prefix: string;

  /** @param modelDigest digest over everything that decides the logits: weights, tokenizer, labels, precision */
  constructor(modelDigest: string) {
    this.#prefix = `${LAYOUT}|${modelDigest.length}:${modelDigest}|`;
  }

  key(input: TextInput, truncation: Truncation): CacheKey {
    const { text, textPair } = input;
    const message =
      textPair === undefined
        ? `${this.#prefix}${truncation}|${text.length}:${text}`
        : `${this.#prefix}${truncation}|${text.length}:${text}|${textPair.length}:${textPair}`;
    // One call of `hash` on a string takes half the time of a Hash object, of a copy of a prepared one too.
    return hash('sha256', message.isWellFormed() ? message : exactBytes(message), 'base64url').slice(
      0,
      KEY_CHARS,
    );
  }
}

/**
 * UTF-8 would write every lone surrogate as U+FFFD, and a tokenizer can tell them apart. UTF-16 keeps them, and can
 * equal no message in UTF-8: its second byte is the zero half of an ASCII character.
 */
function exactBytes(message: string): Buffer {
  return Buffer.from(message, 'utf16le');
}
