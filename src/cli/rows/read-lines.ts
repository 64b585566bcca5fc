import { BOM_BYTES, DEFAULT_ENCODING, encodingOf, type TextEncoding } from './text-encoding.js';

/** One line, the empty ones too. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its end. Of an undecodable line with U+FFFD in it; of one that is too long, nothing. */
  readonly text: string;
  readonly ending: '' | '\n' | '\r\n';
  /** Bytes of the input up to and including the line. */
  readonly endOffset: number;
  /** Why it cannot be used; completes "line 7 ...". */
  readonly problem?: string;
}

/** A line beyond it is read over, and not kept. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** The lines of a stream, whose byte order mark is taken off. */
export async function* readLines(
  stream: AsyncIterable<Buffer>,
  encoding = DEFAULT_ENCODING,
): AsyncGenerator<Line> {
  let lines: LineSplitter | undefined;
  for await (const chunk of withHead(inWholeUnits(stream))) {
    lines ??= new LineSplitter(encodingOf(chunk, encoding));
    yield* lines.push(chunk);
  }
  if (lines !== undefined) yield* lines.end();
}

/** Cuts chunks into lines. */
class LineSplitter {
  readonly #encoding: TextEncoding;
  /** The beginning of the line that the next chunk goes on with. */
  #rest: Buffer[] = [];
  #restBytes = 0;
  #number = 0;
  #endOffset = 0;

  constructor(encoding: TextEncoding) {
    this.#encoding = encoding;
  }

  *push(chunk: Buffer): Generator<Line> {
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
    if (this.#restBytes > 0) yield this.#take();
  }

  /** Where the line ends that begins at `start`, its line feed included; -1 where that is not in this chunk. */
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

/** The same chunks, but for the first one: it holds a whole byte order mark where there is one. */
async function* withHead(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of stream) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < BOM_BYTES) continue;
    yield head;
    head = undefined;
  }
  if (head !== undefined && head.length > 0) yield head;
}

/** Chunks of an even number of bytes, so that no unit of UTF-16 is cut in two; the last one may be odd. */
async function* inWholeUnits(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let odd: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const whole = odd.length === 0 ? chunk : Buffer.concat([odd, chunk]);
    const even = whole.length - (whole.length % 2);
    if (even > 0) yield whole.subarray(0, even);
    odd = whole.subarray(even);
  }
  if (odd.length > 0) yield odd;
}
