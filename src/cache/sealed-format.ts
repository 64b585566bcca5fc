import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import { decodeEntry, encodedBytes, encodeEntry } from './entry-codec.js';
import type { EntryFormat } from './entry-format.js';
import type { CacheEntry, CacheKey, EntryFault, EntryShape } from './types.js';

/** No plain name has a dot. Raised when names or seals are made in another way. */
const NAME_PREFIX = 's1.';

/** 132 bits, as many as the key has. */
const NAME_CHARS = 22;

/** Half of SHA-256's output, the least that RFC 2104, section 5, advises to leave of a MAC. */
const MAC_BYTES = 16;

const SUBKEY_BYTES = 32;

/**
 * The form that entries have in Redis where there is a secret. Names are an HMAC of the key, so whoever reads Redis
 * cannot try texts against them; a value ends with an HMAC over key and entry, so whoever writes to Redis cannot make
 * one, change one, or put one under another name. What was sealed with another secret, or not at all, is not found,
 * and would not be believed.
 *
 * Both use HMAC-SHA-256 with keys of their own, derived by HKDF (RFC 5869). A value put back after it was overwritten
 * is not told apart: under one key there is one right answer.
 */
export class SealedFormat implements EntryFormat {
  readonly #nameKey: KeyObject;
  readonly #valueKey: KeyObject;

  constructor(secret: string) {
    this.#nameKey = subkey(secret, 'verdict cache: names of entries, 1');
    this.#valueKey = subkey(secret, 'verdict cache: seals of entries, 1');
  }

  name(key: CacheKey): string {
    const digest = createHmac('sha256', this.#nameKey).update(key).digest('base64url');
    return NAME_PREFIX + digest.slice(0, NAME_CHARS);
  }

  valueBytes(labelCount: number): number {
    return encodedBytes(labelCount) + MAC_BYTES;
  }

  encode(key: CacheKey, entry: CacheEntry): Buffer {
    const bytes = encodeEntry(entry);
    return Buffer.concat([bytes, this.#mac(key, bytes)]);
  }

  decode(key: CacheKey, value: Uint8Array, shape: EntryShape): CacheEntry | EntryFault {
    if (value.byteLength !== this.valueBytes(shape.labelCount)) return 'length';
    const bytes = value.subarray(0, -MAC_BYTES);
    const given = value.subarray(-MAC_BYTES);
    if (!timingSafeEqual(given, this.#mac(key, bytes))) return 'mac';
    return decodeEntry(bytes, shape);
  }

  /** The key is preceded by its length, so that no key and entry spell the message of another pair. */
  #mac(key: CacheKey, bytes: Uint8Array): Buffer {
    const mac = createHmac('sha256', this.#valueKey).update(`${key.length}:${key}`).update(bytes).digest();
    return mac.subarray(0, MAC_BYTES);
  }
}

function subkey(secret: string, purpose: string): KeyObject {
  return createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', purpose, SUBKEY_BYTES)));
}
