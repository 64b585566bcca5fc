import type { FileHandle } from 'node:fs/promises';

/** One field of a message: its number, and where its payload lies in the file. */
export interface Field {
  readonly number: number;
  readonly start: number;
  readonly end: number;
  /** The value of a varint, which has no payload; undefined for every other field. */
  readonly varint: number | undefined;
}

const WINDOW_BYTES = 64 * 1024;
/** A tag and a length: two varints of at most ten bytes each. */
const MOST_HEADER_BYTES = 20;

/**
 * Walks the fields of a protobuf message in a file without reading what it steps over: weights take gigabytes, what is
 * said about them a few kilobytes. The wire format is https://protobuf.dev/programming-guides/encoding/.
 */
export class ProtobufFile {
  readonly #file: FileHandle;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** The fields of the message that lies between the offsets, in order. @throws Error for bytes that are no message */
  async *fields(start: number, end: number): AsyncGenerator<Field> {
    let at = start;
    while (at < end) {
      const header = await this.#bytes(at, Math.min(end, at + MOST_HEADER_BYTES));
      const tag = readVarint(header, 0);
      const number = Math.floor(tag.value / 8);
      const wireType = tag.value % 8;
      if (number === 0) throw new Error('holds a field number 0');
      const second = wireType === 0 || wireType === 2 ? readVarint(header, tag.next) : undefined;
      const payload = at + (second?.next ?? tag.next);
      const length = lengthOf(wireType, second?.value);
      if (payload + length > end) throw new Error('ends within a field');
      yield {
        number,
        start: payload,
        end: payload + length,
        varint: wireType === 0 ? second?.value : undefined,
      };
      at = payload + length;
    }
  }

  /** The payload of a field. */
  read({ start, end }: Field): Promise<Buffer> {
    return this.#bytes(start, end);
  }

  /** A view that is good until the next call. */
  async #bytes(start: number, end: number): Promise<Buffer> {
    const windowEnd = this.#windowStart + this.#window.length;
    if (start < this.#windowStart || end > windowEnd) {
      const bytes = Buffer.allocUnsafe(Math.max(WINDOW_BYTES, end - start));
      const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, start);
      if (bytesRead < end - start) throw new Error('is shorter than its fields say');
      this.#window = bytes.subarray(0, bytesRead);
      this.#windowStart = start;
    }
    return this.#window.subarray(start - this.#windowStart, end - this.#windowStart);
  }
}

function lengthOf(wireType: number, length: number | undefined): number {
  if (wireType === 0) return 0;
  if (wireType === 1) return 8;
  if (wireType === 5) return 4;
  if (wireType === 2) return length ?? 0;
  throw new Error(`holds the wire type ${wireType}`);
}

function readVarint(bytes: Buffer, from: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (let next = from; next < bytes.length && next < from + 10; next++) {
    const byte = bytes[next] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next: next + 1 };
    scale *= 128;
  }
  throw new Error('holds a number that does not end');
}
