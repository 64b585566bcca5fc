/** One row of a table as it stands in the file. */
export interface TableRecord {
  /** Where it begins, from 1. */
  readonly line: number;
  /** Bytes of the input up to and including it. */
  readonly endOffset: number;
  /** What its cells are, or why it has none; that completes "line 7 ...". */
  readonly content: { readonly cells: readonly string[] } | { readonly problem: string };
}
