/** The special tokens around one text: `[CLS]` text `[SEP]`. */
export interface SingleTemplate {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

/** The special tokens around and between the texts of a pair: `[CLS]` first `[SEP]` second `[SEP]`. */
export interface PairTemplate extends SingleTemplate {
  readonly middle: readonly number[];
  /** Where token type 1 starts, counted from the end of the first text; undefined: nowhere. */
  readonly typeOffset: number | undefined;
}
