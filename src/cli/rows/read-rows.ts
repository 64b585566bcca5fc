import { open, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { isSystemError } from '../../errors/system-trouble.js';
import { readTrouble } from '../file-trouble.js';
import { UsageError } from '../usage-error.js';
import { readJsonLines } from './read-json-lines.js';
import { type Line, readLines } from './read-lines.js';
import { readCsv, readTsv } from './read-table.js';
import type { InputRow } from './row.js';
import type { RowReading } from './row-reading.js';
import { checkEncoding } from './text-encoding.js';

export const INPUT_FORMATS = ['tsv', 'csv', 'jsonl', 'lines'] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

const FORMAT_OF_EXTENSION: Readonly<Record<string, InputFormat>> = {
  '.tsv': 'tsv',
  '.csv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.txt': 'lines',
};

export interface RowSource {
  readonly rows: AsyncIterable<InputRow>;
  /** Size of the file; `undefined` if it is not known. */
  readonly totalBytes: number | undefined;
  /** Stops reading, even while waiting for more. */
  close(): void;
}

/**
 * Opens a file of inputs, or standard input for `-`. Reads only when rows are requested, and only as many.
 * @throws UsageError if it cannot be opened; the rows throw one if it cannot be read
 */
export async function openRows(
  path: string,
  stdin: Readable,
  reading: RowReading,
  format: InputFormat | undefined,
): Promise<RowSource> {
  checkEncoding(reading.encoding);
  if (path === '-') return source(stdin, 'standard input', format ?? 'lines', reading);
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw new UsageError(`${path} is a directory; --input takes a file`);
    const known = format ?? FORMAT_OF_EXTENSION[extname(path).toLowerCase()];
    if (known === undefined) {
      throw new UsageError(
        `cannot tell the format of ${path} from its name; give it with --input-format ${INPUT_FORMATS.join('|')}`,
      );
    }
    const stream = (await open(path)).createReadStream();
    return source(stream, path, known, reading, stats.isFile() ? stats.size : undefined);
  } catch (error) {
    throw error instanceof UsageError ? error : readTrouble(path, error);
  }
}

function source(
  stream: Readable,
  name: string,
  format: InputFormat,
  reading: RowReading,
  totalBytes?: number,
): RowSource {
  if (reading.delimiter !== undefined && format !== 'csv') {
    throw new UsageError(`--delimiter is for CSV, and ${name} is read as ${format}`);
  }
  const rows = readRows(readLines(stream, reading.encoding), format, reading);
  return { rows: nameTrouble(rows, name), totalBytes, close: () => void stream.destroy() };
}

function readRows(
  lines: AsyncGenerator<Line>,
  format: InputFormat,
  reading: RowReading,
): AsyncGenerator<InputRow> {
  switch (format) {
    case 'tsv':
      return readTsv(lines, reading);
    case 'csv':
      return readCsv(lines, reading);
    case 'jsonl':
      return readJsonLines(lines, reading);
    case 'lines':
      return readPlain(lines);
  }
}

async function* readPlain(lines: AsyncIterable<Line>): AsyncGenerator<InputRow> {
  for await (const { number, text, endOffset, problem } of lines) {
    const place = { line: number, endOffset, kept: [] };
    if (problem !== undefined) yield { ...place, problem };
    else if (text !== '') yield { ...place, text };
  }
}

/** If the input breaks in the middle, the rows end with a sentence that names it. */
async function* nameTrouble(rows: AsyncIterable<InputRow>, name: string): AsyncGenerator<InputRow> {
  try {
    yield* rows;
  } catch (error) {
    throw isSystemError(error) ? readTrouble(name, error) : error;
  }
}
