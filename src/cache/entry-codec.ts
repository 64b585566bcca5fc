import type { CacheEntry } from './types.js';

/*
 * Layout, little-endian: version u8, flags u8, token count u32, label count u32, then that many float32 logits.
 */
const VERSION = 1;
const FLAG_TRUNCATED = 1;
const HEADER_BYTES = 10;
const LOGIT_BYTES = 4;

/** Size of the entry's binary form. */
export function encodedBytes(entry: CacheEntry): number {
  return HEADER_BYTES + LOGIT_BYTES * entry.logits.length;
}

/** The compact form that an entry has outside this process. */
export function encodeEntry(entry: CacheEntry): Buffer {
  const { logits, tokenCount, truncated } = entry;
  const bytes = Buffer.allocUnsafe(encodedBytes(entry));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint8(0, VERSION);
  view.setUint8(1, truncated ? FLAG_TRUNCATED : 0);
  view.setUint32(2, tokenCount, true);
  view.setUint32(6, logits.length, true);
  let offset = HEADER_BYTES;
  for (const logit of logits) {
    view.setFloat32(offset, logit, true);
    offset += LOGIT_BYTES;
  }
  return bytes;
}

/** The entry, or undefined for whatever is not one: another version, an unknown flag, a wrong length. Never throws. */
export function decodeEntry(bytes: Uint8Array): CacheEntry | undefined {
  if (bytes.byteLength < HEADER_BYTES + LOGIT_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(1);
  const labelCount = view.getUint32(6, true);
  if (view.getUint8(0) !== VERSION || (flags & ~FLAG_TRUNCATED) !== 0) return undefined;
  if (bytes.byteLength !== HEADER_BYTES + LOGIT_BYTES * labelCount) return undefined;
  const logits = new Float32Array(labelCount);
  for (let index = 0; index < labelCount; index += 1) {
    logits[index] = view.getFloat32(HEADER_BYTES + LOGIT_BYTES * index, true);
  }
  return { logits, tokenCount: view.getUint32(2, true), truncated: flags === FLAG_TRUNCATED };
}
