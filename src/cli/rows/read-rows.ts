import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { fileTrouble } from '../file-trouble.js';
import { UsageError } from '../usage-error.js';
import type { ColumnChoice } from './columns.js';
import { readCsv, readTsv } from './read-cells.js';
import { readJsonLines } from './read-json-lines.js';
import { readLines } from './read-lines.js';
import type { Row } from './row.js';

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
  readonly rows: AsyncIterable<Row>;
  /** Size of the file; `undefined` where it is not known. */
  readonly totalBytes: number | undefined;
  /** Stops reading, even in the middle of waiting for more. */
  close(): void;
}

/**
 * Opens a file of inputs, or standard input for `-`. Nothing is read before the rows are asked for, and no more than
 * is asked for.
 * @throws UsageError for what cannot be opened, and from the rows for what cannot be read
 */
export async function openRows(
  path: string,
  stdin: Readable,
  choice: ColumnChoice,
  format: InputFormat | undefined,
): Promise<RowSource> {
  if (path === '-') return source(stdin, format ?? 'lines', choice, undefined);
  const known = format ?? FORMAT_OF_EXTENSION[extname(path).toLowerCase()];
  if (known === undefined) {
    throw new UsageError(`what is in ${path}? Say it with --input-format ${INPUT_FORMATS.join('|')}`);
  }
  try {
    const file = await open(path);
    const stats = await file.stat();
    if (stats.isDirectory()) {
      await file.close();
      throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
    }
    return source(file.createReadStream(), known, choice, stats.isFile() ? stats.size : undefined);
  } catch (error) {
    throw fileTrouble('read', path, error);
  }
}

function source(
  stream: Readable,
  format: InputFormat,
  choice: ColumnChoice,
  totalBytes: number | undefined,
): RowSource {
  return { rows: readRows(stream, format, choice), totalBytes, close: () => void stream.destroy() };
}

function readRows(stream: Readable, format: InputFormat, choice: ColumnChoice): AsyncGenerator<Row> {
  switch (format) {
    case 'tsv':
      return readTsv(stream, choice);
    case 'csv':
      return readCsv(stream, choice);
    case 'jsonl':
      return readJsonLines(stream, choice);
    case 'lines':
      return readPlain(stream);
  }
}

async function* readPlain(stream: Readable): AsyncGenerator<Row> {
  for await (const { line, endOffset } of readLines(stream)) yield { text: line, endOffset };
}
