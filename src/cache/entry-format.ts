import { decodeEntry, encodedBytes, encodeEntry } from './entry-codec.js';
import type { CacheEntry, CacheKey, EntryFault, EntryShape } from './types.js';

/** How entries are stored in Redis: their names and bytes. */
export interface EntryFormat {
  /** The part of the name after the key prefix. Names of two formats are never equal. */
  name(key: CacheKey): string;
  /** Size of the value of an entry with that many logits. */
  valueBytes(labelCount: number): number;
  encode(key: CacheKey, entry: CacheEntry): Buffer;
  /**
   * The entry, or why this format cannot have written the value for the key, or the model cannot have produced it.
   * Never throws.
   */
  decode(key: CacheKey, value: Uint8Array, shape: EntryShape): CacheEntry | EntryFault;
}

/** Stores the key and the entry unchanged. */
export const plainFormat: EntryFormat = {
  name: (key) => key,
  valueBytes: encodedBytes,
  encode: (_key, entry) => encodeEntry(entry),
  decode: (_key, value, shape) => decodeEntry(value, shape),
};
