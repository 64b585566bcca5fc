import type { BatchResult, Classification, VerdictClientError } from '../../clients/typescript/src/index.js';
import type { InputRow, MalformedRow, Row } from './rows/row.js';

/** Why there is no answer for a row. */
export type RowError = Pick<VerdictClientError, 'code' | 'message' | 'reason' | 'retryAfterMs'>;

/** The result of one row. `index` counts the rows of the input from 0, including malformed ones. */
export type RowResult =
  | {
      readonly kind: 'classified';
      readonly index: number;
      readonly row: Row;
      readonly classification: Classification;
    }
  /** The server refused it. */
  | { readonly kind: 'failed'; readonly index: number; readonly row: Row; readonly error: RowError }
  /** It was never sent. */
  | {
      readonly kind: 'malformed';
      readonly index: number;
      readonly row: MalformedRow;
      readonly error: RowError;
    };

/** A row that waits for its answer. */
export interface Numbered<R extends InputRow = InputRow> {
  readonly row: R;
  readonly index: number;
}

export function answered({ row, index }: Numbered<Row>, result: BatchResult): RowResult {
  return result.ok
    ? { kind: 'classified', index, row, classification: result.classification }
    : { kind: 'failed', index, row, error: result.error };
}

export function unanswered({ row, index }: Numbered<MalformedRow>): RowResult {
  const error = {
    code: 'INVALID_ARGUMENT',
    message: `line ${row.line} of the input ${row.problem}`,
    reason: 'MALFORMED_ROW',
    retryAfterMs: undefined,
  } as const;
  return { kind: 'malformed', index, row, error };
}
