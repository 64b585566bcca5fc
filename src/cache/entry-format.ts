import { decodeEntry, encodedBytes, encodeEntry } from './entry-codec.js';
import type { CacheEntry, CacheKey, EntryFault, EntryShape } from './types.js';

/** How entries lie in Redis: under which name, and in which bytes. */
export interface EntryFormat {
  /** What follows the key prefix. Names of two formats are never equal. */
  name(key: CacheKey): string;
  /** Size of the value of an entry with that many logits. */
  valueBytes(labelCount: number): number;
  encode(key: CacheKey, entry: CacheEntry): Buffer;
  /** The entry, or why the value is none that this format wrote for the key, or none of the model. Never throws. */
  decode(key: CacheKey, value: Uint8Array, shape: EntryShape): CacheEntry | EntryFault;
}

/** The key as it is, and the entry as it is. */
export const plainFormat: EntryFormat = {
  name: (key) => key,
  valueBytes: encodedBytes,
  encode: (_key, entry) => encodeEntry(entry),
  decode: (_key, value, shape) => decodeEntry(value, shape),
};
