import type { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { UsageError } from '../usage-error.js';
import { type ColumnChoice, type Columns, findColumns } from './columns.js';
import { readLines } from './read-lines.js';
import type { Row } from './row.js';

interface Cells {
  readonly cells: readonly string[];
  readonly endOffset: number;
}

/** Tab-separated rows. Quotes are characters like any other: texts are full of them, and tabs cannot be quoted. */
export function readTsv(stream: Readable, choice: ColumnChoice): AsyncGenerator<Row> {
  return toRows(splitTabs(stream), choice);
}

/** Comma-separated rows with quoting as in RFC 4180. */
export function readCsv(stream: Readable, choice: ColumnChoice): AsyncGenerator<Row> {
  return toRows(parseCsv(stream), choice);
}

async function* splitTabs(stream: Readable): AsyncGenerator<Cells> {
  for await (const { line, endOffset } of readLines(stream)) yield { cells: line.split('\t'), endOffset };
}

async function* parseCsv(stream: Readable): AsyncGenerator<Cells> {
  const parser = parse({ bom: true, relax_column_count: true, skip_empty_lines: true, info: true });
  // `pipe` passes no errors on; an input that breaks must not look like one that ends.
  stream.on('error', (error) => parser.destroy(error));
  const parsed: AsyncIterable<{ record: string[]; info: { bytes: number } }> = stream.pipe(parser);
  try {
    for await (const { record, info } of parsed) yield { cells: record, endOffset: info.bytes };
  } catch (error) {
    const isCsvError = error instanceof Error && 'code' in error && String(error.code).startsWith('CSV_');
    throw isCsvError ? new UsageError(`the input is no CSV: ${error.message}`, { cause: error }) : error;
  } finally {
    stream.destroy();
  }
}

async function* toRows(source: AsyncIterable<Cells>, choice: ColumnChoice): AsyncGenerator<Row> {
  let columns: Columns | undefined;
  for await (const { cells, endOffset } of source) {
    if (columns === undefined) {
      columns = findColumns(cells, choice);
      if (columns.isHeader) continue;
    }
    yield {
      text: cells[columns.text] ?? '',
      textPair: columns.pair === undefined ? undefined : cells[columns.pair],
      expected: columns.label === undefined ? undefined : cells[columns.label],
      endOffset,
    };
  }
}
