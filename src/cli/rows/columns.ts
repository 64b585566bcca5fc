import { UsageError } from '../usage-error.js';

const TEXT_NAMES = [
  'text',
  'sentence',
  'content',
  'review',
  'query',
  'utterance',
  'message',
  'question',
  'comment',
  'tweet',
  'title',
  'input',
  'sentence1',
  'premise',
];
const PAIR_NAMES = ['text_pair', 'textpair', 'sentence2', 'hypothesis'];
const LABEL_NAMES = ['label', 'category', 'class', 'intent', 'target', 'expected', 'gold'];

/** The user's choice of columns: names, or positions from 1. */
export interface ColumnChoice {
  readonly text?: string | undefined;
  readonly pair?: string | undefined;
  readonly label?: string | undefined;
  /** `auto`: a first row that holds a known or a chosen name is a header. */
  readonly header?: 'auto' | 'yes' | 'no' | undefined;
}

/** 0-based positions. */
export interface Columns {
  readonly isHeader: boolean;
  readonly text: number;
  readonly pair: number | undefined;
  readonly label: number | undefined;
}

/** Finds the columns of text, second text and label from the first row. @throws UsageError if it cannot */
export function findColumns(firstRow: readonly string[], choice: ColumnChoice): Columns {
  const cells = firstRow.map(normal);
  if (!isHeader(cells, choice)) {
    return {
      isHeader: false,
      text: position(choice.text, 'text', [], cells) ?? 0,
      pair: position(choice.pair, 'pair', [], cells),
      label: position(choice.label, 'label', [], cells),
    };
  }
  const text = named(cells, TEXT_NAMES);
  const chosen = position(choice.text, 'text', cells, cells) ?? text ?? (cells.length === 1 ? 0 : undefined);
  if (chosen === undefined) {
    throw new UsageError(
      `cannot tell which column is the text; the columns are: ${firstRow.join(', ')}. Choose one with --text-column`,
    );
  }
  return {
    isHeader: true,
    text: chosen,
    pair: position(choice.pair, 'pair', cells, cells) ?? named(cells, PAIR_NAMES),
    label: position(choice.label, 'label', cells, cells) ?? named(cells, LABEL_NAMES),
  };
}

/** The field of an object that holds one of those, by the same names. */
export function findFields(keys: readonly string[], choice: ColumnChoice) {
  const find = (chosen: string | undefined, names: readonly string[]) =>
    chosen ?? names.map((name) => keys.find((key) => normal(key) === name)).find((key) => key !== undefined);
  return {
    text: find(choice.text, TEXT_NAMES),
    pair: find(choice.pair, PAIR_NAMES),
    label: find(choice.label, LABEL_NAMES),
  };
}

/** Whether the first row names the columns. @param cells their normal names */
export function isHeader(
  cells: readonly string[],
  { header = 'auto', text, pair, label }: ColumnChoice,
): boolean {
  if (header !== 'auto') return header === 'yes';
  const chosen = [text, pair, label].filter((name) => name !== undefined).map(normal);
  return cells.some(
    (cell) => [...TEXT_NAMES, ...PAIR_NAMES, ...LABEL_NAMES, ...chosen].includes(cell) && cell !== '',
  );
}

function position(
  chosen: string | undefined,
  flag: string,
  header: readonly string[],
  cells: readonly string[],
): number | undefined {
  return chosen === undefined ? undefined : columnAt(chosen, `${flag}-column`, header, cells.length);
}

/**
 * The 0-based position of a column that the user chose by its name, or by its position from 1.
 *
 * @param header its normal names; empty if there is none
 * @throws UsageError that names the flag
 */
export function columnAt(chosen: string, flag: string, header: readonly string[], width: number): number {
  const at = header.indexOf(normal(chosen));
  if (at !== -1) return at;
  const number = Number(chosen);
  if (Number.isInteger(number) && number >= 1 && number <= width) return number - 1;
  const known =
    header.length > 0
      ? `the columns are: ${header.join(', ')}`
      : `there ${width === 1 ? 'is one column' : `are ${width} columns`}, and no header`;
  throw new UsageError(`--${flag}: there is no column "${chosen}"; ${known}`);
}

function named(cells: readonly string[], names: readonly string[]): number | undefined {
  const name = names.find((known) => cells.includes(known));
  return name === undefined ? undefined : cells.indexOf(name);
}

/** Names are compared without case and surrounding space. */
export function normal(name: string): string {
  return name.trim().toLowerCase();
}
