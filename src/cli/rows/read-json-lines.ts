import type { Readable } from 'node:stream';
import { UsageError } from '../usage-error.js';
import { type ColumnChoice, findFields } from './columns.js';
import { readLines } from './read-lines.js';
import type { Row } from './row.js';

/** One JSON value per line: an object with its text under a known or chosen name, or a string. */
export async function* readJsonLines(stream: Readable, choice: ColumnChoice): AsyncGenerator<Row> {
  let number = 0;
  for await (const { line, endOffset } of readLines(stream)) {
    number++;
    yield toRow(parse(line, number), choice, number, endOffset);
  }
}

function toRow(value: unknown, choice: ColumnChoice, number: number, endOffset: number): Row {
  if (typeof value === 'string') return { text: value, endOffset };
  if (typeof value !== 'object' || value === null) {
    throw new UsageError(`line ${number} of the input is neither an object nor a string`);
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  const { text, pair, label } = findFields([...fields.keys()], choice);
  const found = text === undefined ? undefined : fields.get(text);
  if (typeof found !== 'string') {
    const known = [...fields.keys()].join(', ');
    throw new UsageError(
      `line ${number} of the input has no text (--text-column chooses its field); it has: ${known}`,
    );
  }
  return { text: found, textPair: asText(fields, pair), expected: asText(fields, label), endOffset };
}

function asText(fields: ReadonlyMap<string, unknown>, name: string | undefined): string | undefined {
  const value = name === undefined ? undefined : fields.get(name);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function parse(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new UsageError(`line ${number} of the input is no JSON`, { cause: error });
  }
}
