import { UsageError } from '../usage-error.js';
import { cellsOf } from './csv-records.js';

const CANDIDATES = [',', ';', '\t', '|'] as const;

export interface DelimiterGuess {
  readonly delimiter: string;
  /** Other candidates: if there are any, the user is told about the guess. */
  readonly others: readonly string[];
}

/**
 * The delimiter, by the first line: the one that yields known column names, else a comma.
 *
 * @param namesColumns whether these cells are names of columns
 */
export function guessDelimiter(
  firstLine: string,
  namesColumns: (cells: readonly string[]) => boolean,
): DelimiterGuess {
  const viable = CANDIDATES.map((delimiter) => ({ delimiter, cells: cellsOf(firstLine, delimiter) ?? [] }))
    .filter(({ cells }) => cells.length > 1)
    .toSorted((a, b) => b.cells.length - a.cells.length);
  const naming = viable.filter(({ cells }) => namesColumns(cells));
  const best = naming[0]?.delimiter ?? ',';
  const rivals = naming.length > 0 ? naming : viable;
  return { delimiter: best, others: rivals.map(({ delimiter }) => delimiter).filter((one) => one !== best) };
}

/** The delimiter that a line before the header names, as Excel reads it: `sep=;`. */
export function saidDelimiter(line: string): string | undefined {
  const said = /^sep=(.)$/.exec(line)?.[1];
  return said !== undefined && maySeparate(said) ? said : undefined;
}

/** @throws UsageError unless it is one character that can separate, or `tab` */
export function readDelimiter(value: string): string {
  if (value === 'tab' || value === '\\t') return '\t';
  if (value.length === 1 && maySeparate(value)) return value;
  throw new UsageError(`--delimiter takes one character, or tab; got "${value}"`);
}

function maySeparate(character: string): boolean {
  return !'"\r\n'.includes(character);
}

export function delimiterName(delimiter: string): string {
  return delimiter === '\t' ? 'a tab' : `"${delimiter}"`;
}
