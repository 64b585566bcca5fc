import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import { decodeEntry, encodedBytes, encodeEntry } from './entry-codec.js';
import type { EntryFormat } from './entry-format.js';
import type { CacheEntry, CacheKey, EntryFault, EntryShape } from './types.js';

/** No plain name has a dot. Raise it when names or seals are made differently. */
const NAME_PREFIX = 's1.';

/** 132 bits, like the key. */
const NAME_CHARS = 22;

/** Half of SHA-256's output, the minimum that RFC 2104, section 5, recommends for a MAC. */
const MAC_BYTES = 16;

const SUBKEY_BYTES = 32;

/**
 * The form of entries in Redis if there is a secret. Names are an HMAC of the key, so readers of Redis cannot test
 * texts against them. A value ends with an HMAC over key and entry, so writers to Redis cannot make a value, change
 * one, or put one under another name. An entry that was sealed with another secret, or not at all, is not found, and
 * would be rejected.
 *
 * Both use HMAC-SHA-256 with separate keys, derived by HKDF (RFC 5869). A replayed old value goes unnoticed, which is
 * harmless: each key has one right answer.
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

  /** The key follows its length, so that no key and entry give the message of another pair. */
  #mac(key: CacheKey, bytes: Uint8Array): Buffer {
    const mac = createHmac('sha256', this.#valueKey).update(`${key.length}:${key}`).update(bytes).digest();
    return mac.subarray(0, MAC_BYTES);
  }
}

function subkey(secret: string, purpose: string): KeyObject {
  return createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', purpose, SUBKEY_BYTES)));
}
