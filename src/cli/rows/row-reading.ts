import type { ColumnChoice } from './columns.js';
import type { Keep } from './keep.js';

/** How an input is read. */
export interface RowReading {
  readonly columns: ColumnChoice;
  readonly keep: Keep;
  /** Of a CSV; undefined: by its first line. */
  readonly delimiter: string | undefined;
  /** What TextDecoder calls it. */
  readonly encoding: string;
  /** Tells the user what was not certain, a sentence without a full stop. */
  readonly note: (text: string) => void;
}
