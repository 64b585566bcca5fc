import { entryFault } from './entry-fault.js';
import type { CacheEntry, EntryFault, EntryShape } from './types.js';

/*
 * Layout, little-endian: version u8, flags u8, token count u32, label count u32, then that many float32 logits.
 */
const VERSION = 1;
const FLAG_TRUNCATED = 1;
const HEADER_BYTES = 10;
const LOGIT_BYTES = 4;

/** Size of the binary form of an entry with that many logits. */
export function encodedBytes(labelCount: number): number {
  return HEADER_BYTES + LOGIT_BYTES * labelCount;
}

/** The compact form of an entry outside this process. */
export function encodeEntry(entry: CacheEntry): Buffer {
  const { logits, tokenCount, truncated } = entry;
  const bytes = Buffer.allocUnsafe(encodedBytes(logits.length));
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

/**
 * The entry, or what is wrong with it: it may come from another release, another program, or an attacker who wants a
 * wrong answer. Never throws.
 */
export function decodeEntry(bytes: Uint8Array, shape: EntryShape): CacheEntry | EntryFault {
  if (bytes.byteLength !== encodedBytes(shape.labelCount)) return 'length';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint8(0) !== VERSION) return 'version';
  const flags = view.getUint8(1);
  if ((flags & ~FLAG_TRUNCATED) !== 0) return 'flags';
  if (view.getUint32(6, true) !== shape.labelCount) return 'labels';
  const logits = new Float32Array(shape.labelCount);
  for (let index = 0; index < logits.length; index += 1) {
    logits[index] = view.getFloat32(HEADER_BYTES + LOGIT_BYTES * index, true);
  }
  const entry = { logits, tokenCount: view.getUint32(2, true), truncated: flags === FLAG_TRUNCATED };
  return entryFault(entry, shape) ?? entry;
}
