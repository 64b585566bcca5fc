/** One input of a file, or of the command line. */
export interface Row {
  readonly text: string;
  readonly textPair?: string | undefined;
  /** What the file says that the answer should be. */
  readonly expected?: string | undefined;
  /** Where the row ends in its file, in bytes; 0 for the command line. */
  readonly endOffset: number;
}
