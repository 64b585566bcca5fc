/** The text of an input: one text, or a pair classified together. */
export interface TextInput {
  readonly text: string;
  readonly textPair?: string;
}

/** How to truncate an input that is longer than the model reads. `reject` refuses it instead. */
export type Truncation = 'end' | 'start' | 'reject';

/** One tokenised input, with special tokens, not padded. */
export interface Encoding {
  /** Token ids, at most the model's `maxTokens`. */
  readonly ids: Int32Array;
  /** Index of the first token of type 1 (the second text of a pair); `ids.length` if there is none. */
  readonly pairStart: number;
  /** Whether it was truncated. */
  readonly truncated: boolean;
}

/** Where a tokenizer is read from, and how much its model reads. */
export interface TokenizerSource {
  /** `tokenizer.json`. */
  readonly tokenizerJsonPath: string;
  /** `tokenizer_config.json`. The file may be missing. */
  readonly tokenizerConfigPath: string;
  /** Most tokens that the model reads, including special tokens. */
  readonly maxTokens: number;
}

/** Turns texts into tokens for one model. */
export interface Tokenizer {
  /** Most tokens that the model reads, including special tokens. */
  readonly maxTokens: number;
  /** The id that pads a batch. */
  readonly padId: number;
  /** 64 hexadecimal digits over the contents of the files that it was made from. */
  readonly filesDigest: string;
  /**
   * Tokenises one input, here or on a worker thread. The number of characters is already checked.
   * @param work the work that needs the tokens; if it is abandoned, the input is dropped unless it is under way
   * @param maxTokens truncates it further than the model must; special tokens are kept even if they are more
   * @throws VerdictError invalid_argument when truncation is `reject` and the input is too long; cancelled when it
   *   was dropped; internal when two threads were lost with it; unavailable when none answers
   */
  encode(input: TextInput, truncation: Truncation, work?: Work, maxTokens?: number): Promise<Encoding>;
  /** Gives its memory back. Nothing may be encoded any more. May be called again. */
  close(): void;
}

/** Work that can be abandoned. */
export interface Work {
  readonly abandoned: boolean;
}

/** Events for logs. None may throw. */
export interface TokenizerHooks {
  /** A tokenizer thread ended by itself and is being replaced. */
  onThreadLost?(reason: string): void;
  /** The last thread was lost, or the first one is back. */
  onAvailability?(available: boolean): void;
}
