/** Bytes of the length before each element. */
const lengthBytes = 4;

/**
 * The elements of a BYTES tensor as they lie in memory: before each its length, in four bytes, the lowest first.
 * @param count elements that its shape tells
 * @returns views of `raw`, or what is wrong
 */
export function readElements(raw: Buffer, count: number): readonly Buffer[] | string {
  const elements: Buffer[] = [];
  let at = 0;
  while (elements.length < count) {
    const begin = at + lengthBytes;
    const element = elements.length;
    if (begin > raw.length) return `ends before element ${element}: its shape tells ${count}`;
    const end = begin + raw.readUInt32LE(at);
    if (end > raw.length)
      return `ends within element ${element}: ${end - begin} bytes were announced, ${raw.length - begin} are left`;
    elements.push(raw.subarray(begin, end));
    at = end;
  }
  if (at < raw.length) return `has ${raw.length - at} bytes more than the ${count} elements of its shape`;
  return elements;
}

/** The same of texts, as UTF-8. */
export function writeElements(texts: readonly string[]): Buffer {
  let size = 0;
  for (const text of texts) size += lengthBytes + Buffer.byteLength(text);
  const raw = Buffer.allocUnsafe(size);
  let at = 0;
  for (const text of texts) {
    const written = raw.write(text, at + lengthBytes);
    raw.writeUInt32LE(written, at);
    at += lengthBytes + written;
  }
  return raw;
}
