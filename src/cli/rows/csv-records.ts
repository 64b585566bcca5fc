import { parse } from 'csv-parse/sync';
import type { LineQueue } from './line-queue.js';
import { type Line, MAX_LINE_BYTES } from './read-lines.js';
import type { TableRecord } from './table-record.js';

/** Most lines in a record: each line is an object, however short. */
const MAX_RECORD_LINES = 100_000;

/**
 * The records of a CSV (RFC 4180), whose quoted fields may hold line ends. A malformed record loses only its first
 * line: reading continues with the next one. csv-parse by itself would lose every row up to the next quote, and after
 * an unclosed quote the rest of the file. So it gets one record at a time: quotes come in pairs, so a record ends with
 * the first line at which their number is even.
 */
export async function* csvRecords(queue: LineQueue, delimiter: string): AsyncGenerator<TableRecord> {
  for (;;) {
    const first = queue.seen(0) ?? (await queue.peek(0));
    if (first === undefined) return;
    if (first.text === '' && first.problem === undefined) {
      queue.take(1);
      continue;
    }
    const { lines, endOffset, content } =
      lineRecord(first, delimiter) ?? (await quotedRecord(first, queue, delimiter));
    queue.take(lines);
    yield { line: first.number, endOffset, content };
  }
}

/** The cells of one line; undefined if it is not a record by itself. */
export function cellsOf(line: string, delimiter: string): readonly string[] | undefined {
  if (!line.includes('"')) return line.split(delimiter);
  const parsed = parseRecord(line, delimiter);
  return 'cells' in parsed ? parsed.cells : undefined;
}

interface Found extends Omit<TableRecord, 'line'> {
  /** Number of its lines. */
  readonly lines: number;
}

/** The record of a single line; undefined if a quoted field continues. */
function lineRecord({ text, endOffset, problem }: Line, delimiter: string): Found | undefined {
  const found = (content: TableRecord['content']) => ({ lines: 1, endOffset, content });
  if (problem !== undefined && !text.includes('"')) return found({ problem });
  if (text.includes('"')) {
    const parsed = parseRecord(text, delimiter);
    if ('problem' in parsed && parsed.isOpen) return undefined;
    return found(problem === undefined ? parsed : { problem });
  }
  if (text.includes('\r'))
    return found({ problem: 'has a carriage return inside: lines end with LF or CR LF' });
  return found({ cells: text.split(delimiter) });
}

async function quotedRecord(first: Line, queue: LineQueue, delimiter: string): Promise<Found> {
  const malformed = (problem: string) => ({ lines: 1, endOffset: first.endOffset, content: { problem } });
  const texts: string[] = [];
  let quotes = 0;
  let { problem } = first;
  for (let ahead = 0; ; ahead++) {
    const line = ahead < MAX_RECORD_LINES ? (queue.seen(ahead) ?? (await queue.peek(ahead))) : undefined;
    if (line === undefined || line.endOffset - first.endOffset > MAX_LINE_BYTES) {
      return malformed('opens a quote that is never closed');
    }
    quotes += countQuotes(line.text);
    if (line.problem !== undefined && ahead > 0)
      problem ??= `continues in line ${line.number}, which ${line.problem}`;
    texts.push(line.text);
    if (quotes % 2 === 0) {
      const parsed = parseRecord(texts.join(''), delimiter);
      if ('problem' in parsed) return malformed(parsed.problem);
      return {
        lines: ahead + 1,
        endOffset: line.endOffset,
        content: problem === undefined ? parsed : { problem },
      };
    }
    texts.push(line.ending);
  }
}

type Parsed =
  | { readonly cells: readonly string[] }
  | { readonly problem: string /** A quoted field goes on. */; readonly isOpen: boolean };

function parseRecord(text: string, delimiter: string): Parsed {
  try {
    const records: string[][] = parse(text, {
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
    });
    const [cells, ...more] = records;
    if (cells !== undefined && more.length === 0) return { cells };
    return { problem: 'has quotes that do not match', isOpen: false };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const problem = PROBLEMS[code];
    if (problem === undefined) throw error;
    return { problem, isOpen: code === 'CSV_QUOTE_NOT_CLOSED' };
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'opens a quote that is never closed',
  CSV_INVALID_CLOSING_QUOTE:
    'has text after a closing quote (a quote inside a quoted field is written twice)',
  INVALID_OPENING_QUOTE: 'has a quote inside a field that does not begin with one',
};

function countQuotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) count++;
  return count;
}
