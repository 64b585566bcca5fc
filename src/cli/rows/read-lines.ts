import { DEFAULT_ENCODING, encodingOf, mayBeMark, type TextEncoding } from './text-encoding.js';

/** One line, which may be empty. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its end. An undecodable line contains U+FFFD; a line that is too long is empty. */
  readonly text: string;
  readonly ending: '' | '\n' | '\r\n';
  /** Bytes of the input up to and including the line. */
  readonly endOffset: number;
  /** Why it cannot be used; completes "line 7 ...". */
  readonly problem?: string;
}

/** A longer line is skipped. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** The lines of a stream, without its byte order mark. A line is available as soon as its end has arrived. */
export async function* readLines(
  stream: AsyncIterable<Buffer>,
  encoding = DEFAULT_ENCODING,
): AsyncGenerator<Line> {
  let lines: LineSplitter | undefined;
  let head: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    if (lines !== undefined) yield* lines.push(chunk);
    else {
      head = Buffer.concat([head, chunk]);
      if (mayBeMark(head)) continue;
      lines = new LineSplitter(encodingOf(head, encoding));
      yield* lines.push(head);
    }
  }
  if (lines === undefined) {
    lines = new LineSplitter(encodingOf(head, encoding));
    yield* lines.push(head);
  }
  yield* lines.end();
}

/** Cuts chunks into lines. */
class LineSplitter {
  readonly #encoding: TextEncoding;
  /** The beginning of the line that the next chunk continues. */
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** The first byte of a unit that the next chunk continues. */
  #partOfUnit: Buffer = Buffer.alloc(0);
  #number = 0;
  #endOffset = 0;

  constructor(encoding: TextEncoding) {
    this.#encoding = encoding;
  }

  *push(bytes: Buffer): Generator<Line> {
    const chunk = this.#wholeUnits(bytes);
    const isFirst = this.#endOffset + this.#restBytes === 0;
    let start = isFirst ? this.#encoding.bomBytes : 0;
    this.#endOffset += start;
    for (let end = this.#lineEnd(chunk, start); end !== -1; end = this.#lineEnd(chunk, start)) {
      this.#keep(chunk.subarray(start, end));
      start = end;
      yield this.#take();
    }
    this.#keep(chunk.subarray(start));
  }

  *end(): Generator<Line> {
    this.#keep(this.#partOfUnit);
    if (this.#restBytes > 0) yield this.#take();
  }

  #wholeUnits(bytes: Buffer): Buffer {
    const unitBytes = this.#encoding.newline.length;
    if (unitBytes === 1) return bytes;
    const all = this.#partOfUnit.length === 0 ? bytes : Buffer.concat([this.#partOfUnit, bytes]);
    const whole = all.length - (all.length % unitBytes);
    this.#partOfUnit = all.subarray(whole);
    return all.subarray(0, whole);
  }

  /** The end of the line that begins at `start`, including its line feed; -1 if the end is not in this chunk. */
  #lineEnd(chunk: Buffer, start: number): number {
    const { newline } = this.#encoding;
    let at = chunk.indexOf(newline, start);
    while (at !== -1 && at % newline.length !== 0) at = chunk.indexOf(newline, at + 1);
    return at === -1 ? -1 : at + newline.length;
  }

  #keep(part: Buffer): void {
    this.#restBytes += part.length;
    if (this.#restBytes > MAX_LINE_BYTES) this.#rest = [];
    else if (part.length > 0) this.#rest.push(part);
  }

  #take(): Line {
    const [only, ...more] = this.#rest;
    const bytes = only !== undefined && more.length === 0 ? only : Buffer.concat(this.#rest);
    const isTooLong = this.#restBytes > MAX_LINE_BYTES;
    this.#endOffset += this.#restBytes;
    this.#rest = [];
    this.#restBytes = 0;
    const place = { number: ++this.#number, endOffset: this.#endOffset };
    if (isTooLong) {
      return { ...place, text: '', ending: '\n', problem: `is longer than ${MAX_LINE_BYTES / 2 ** 20} MiB` };
    }
    const { strict, lenient } = this.#encoding;
    try {
      return { ...place, ...splitEnding(strict.decode(bytes)) };
    } catch {
      const name = strict.encoding.toUpperCase();
      const problem = `is not valid ${name} (--encoding names another encoding, such as latin1)`;
      return { ...place, ...splitEnding(lenient.decode(bytes)), problem };
    }
  }
}

function splitEnding(line: string): Pick<Line, 'text' | 'ending'> {
  if (!line.endsWith('\n')) return { text: line, ending: '' };
  const ending = line.endsWith('\r\n') ? '\r\n' : '\n';
  return { text: line.slice(0, -ending.length), ending };
}
