/** A kept column: its name in the output, and its value as JSON. */
export type KeptValue = readonly [name: string, json: string];

interface Place {
  /** The kept columns. */
  readonly kept: readonly KeptValue[];
  /** Where the row begins in its file, from 1; `undefined` for the command line. */
  readonly line?: number | undefined;
  /** Where the row ends in its file, in bytes; 0 for the command line. */
  readonly endOffset: number;
}

/** One input of a file, or of the command line. */
export interface Row extends Place {
  readonly text: string;
  readonly textPair?: string | undefined;
  /** The expected label in the file. */
  readonly expected?: string | undefined;
}

/** A row of a file that holds no input. */
export interface MalformedRow extends Place {
  readonly line: number;
  /** Completes "line 7 ...". */
  readonly problem: string;
}

export type InputRow = Row | MalformedRow;

export function isMalformed(row: InputRow): row is MalformedRow {
  return 'problem' in row;
}
