/** One row of a table, as it is in the file. */
export interface TableRecord {
  /** Where it begins, from 1. */
  readonly line: number;
  /** Bytes of the input up to and including it. */
  readonly endOffset: number;
  /** Its cells, or why it has none, which completes "line 7 ...". */
  readonly content: { readonly cells: readonly string[] } | { readonly problem: string };
}
