import type { ColumnChoice } from './columns.js';
import type { Keep } from './keep.js';

/** How an input is read. */
export interface RowReading {
  readonly columns: ColumnChoice;
  readonly keep: Keep;
  /** The delimiter of a CSV; undefined: by its first line. */
  readonly delimiter: string | undefined;
  /** Its name for TextDecoder. */
  readonly encoding: string;
  /** Tells the user about a guess, in a sentence without a full stop. */
  readonly note: (text: string) => void;
}
