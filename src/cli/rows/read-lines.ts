import { UsageError } from '../usage-error.js';

export interface Line {
  readonly line: string;
  /** Bytes up to and including the line. */
  readonly endOffset: number;
}

/** A line beyond it means that the file is none of lines. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const NEWLINE = 0x0a;

/** The lines of a UTF-8 stream that are not empty, with their line ends and a leading byte order mark taken off. */
export async function* readLines(stream: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let endOffset = 0;
  for await (const chunk of stream) {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      const tail = chunk.subarray(start, at + 1);
      const bytes = restBytes === 0 ? tail : Buffer.concat([...rest, tail]);
      const isFirst = endOffset === 0;
      endOffset += bytes.length;
      rest = [];
      restBytes = 0;
      start = at + 1;
      const line = decode(bytes, isFirst);
      if (line !== '') yield { line, endOffset };
    }
    if (start === chunk.length) continue;
    rest.push(chunk.subarray(start));
    restBytes += chunk.length - start;
    if (restBytes > MAX_LINE_BYTES) throw new UsageError('the input has a line of more than 16 MiB');
  }
  const line = decode(Buffer.concat(rest), endOffset === 0);
  if (line !== '') yield { line, endOffset: endOffset + restBytes };
}

function decode(bytes: Buffer, isFirst: boolean): string {
  const line = bytes.toString('utf8').replace(/\r?\n$/, '');
  return isFirst && line.startsWith('\uFEFF') ? line.slice(1) : line;
}
