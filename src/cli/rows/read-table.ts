import { UsageError } from '../usage-error.js';
import { type Columns, findColumns, isHeader, normal } from './columns.js';
import { csvRecords } from './csv-records.js';
import { delimiterName, guessDelimiter, saidDelimiter } from './delimiter.js';
import { keptColumns } from './keep.js';
import { LineQueue } from './line-queue.js';
import type { Line } from './read-lines.js';
import type { InputRow } from './row.js';
import type { RowReading } from './row-reading.js';
import type { TableRecord } from './table-record.js';

/** Tab-separated rows. Quotes are characters like any other: texts are full of them, and tabs cannot be quoted. */
export function readTsv(lines: AsyncIterable<Line>, reading: RowReading): AsyncGenerator<InputRow> {
  return toRows(tsvRecords(lines), reading);
}

/** Rows with columns separated by commas or another delimiter, and quoted as in RFC 4180. */
export async function* readCsv(lines: AsyncIterable<Line>, reading: RowReading): AsyncGenerator<InputRow> {
  const queue = new LineQueue(lines[Symbol.asyncIterator]());
  try {
    yield* toRows(csvRecords(queue, await findDelimiter(queue, reading)), reading);
  } finally {
    await queue.close();
  }
}

async function findDelimiter(queue: LineQueue, { columns, delimiter, note }: RowReading): Promise<string> {
  const first = await firstLine(queue);
  const said = saidDelimiter(first?.text ?? '');
  if (said !== undefined) queue.take(1);
  if (delimiter !== undefined || said !== undefined) return delimiter ?? said ?? '';
  const guess = guessDelimiter(first?.text ?? '', (cells) => isHeader(cells.map(normal), columns));
  if (guess.others.length > 0) {
    const others = guess.others.map(delimiterName).join(' and ');
    note(
      `taking ${delimiterName(guess.delimiter)} as the delimiter, but line ${first?.number} also has ${others}; ` +
        'choose one with --delimiter',
    );
  }
  return guess.delimiter;
}

async function firstLine(queue: LineQueue): Promise<Line | undefined> {
  for (;;) {
    const line = await queue.peek(0);
    if (line === undefined || line.text !== '' || line.problem !== undefined) return line;
    queue.take(1);
  }
}

async function* tsvRecords(lines: AsyncIterable<Line>): AsyncGenerator<TableRecord> {
  for await (const { number, text, endOffset, problem } of lines) {
    if (text === '' && problem === undefined) continue;
    yield {
      line: number,
      endOffset,
      content: problem === undefined ? { cells: text.split('\t') } : { problem },
    };
  }
}

async function* toRows(records: AsyncIterable<TableRecord>, reading: RowReading): AsyncGenerator<InputRow> {
  let table: Table | undefined;
  for await (const record of records) {
    if (table === undefined) {
      table = new Table(record, reading);
      if (table.columns.isHeader) continue;
    }
    yield table.toRow(record);
  }
}

/** What the first row tells about the others. */
class Table {
  readonly columns: Columns;
  readonly #width: number;
  readonly #kept: readonly { readonly at: number; readonly name: string }[];

  /** @throws UsageError if it tells nothing */
  constructor({ line, content }: TableRecord, { columns, keep }: RowReading) {
    if ('problem' in content) {
      throw new UsageError(
        `line ${line} of the input ${content.problem}; without it the columns are unknown`,
      );
    }
    this.columns = findColumns(content.cells, columns);
    this.#width = content.cells.length;
    const { text, pair, label } = this.columns;
    const used = new Set([text, pair, label].filter((at) => at !== undefined));
    this.#kept = keptColumns(keep, content.cells, { isHeader: this.columns.isHeader, used });
  }

  toRow({ line, endOffset, content }: TableRecord): InputRow {
    if ('problem' in content) return { line, endOffset, kept: [], problem: content.problem };
    const { cells } = content;
    const kept = this.#kept.map(({ at, name }) => [name, JSON.stringify(cells[at] ?? '')] as const);
    const place = { line, endOffset, kept };
    const count = filledWidth(cells, this.#width);
    // Otherwise a text with a bare delimiter would be cut there silently.
    if (count !== this.#width) return { ...place, problem: this.#wrongWidth(count) };
    const { text, pair, label } = this.columns;
    return {
      ...place,
      text: cells[text] ?? '',
      textPair: pair === undefined ? undefined : cells[pair],
      expected: label === undefined ? undefined : cells[label],
    };
  }

  #wrongWidth(count: number): string {
    const first = this.columns.isHeader ? 'the header' : 'the first row';
    return `has ${count} ${count === 1 ? 'column' : 'columns'} where ${first} has ${this.#width}`;
  }
}

/** The number of cells; empty ones after the last column do not count, because spreadsheets leave them there. */
function filledWidth(cells: readonly string[], width: number): number {
  let count = cells.length;
  while (count > width && cells[count - 1] === '') count--;
  return count;
}
