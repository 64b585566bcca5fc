/** What is tokenised: one text, or a pair judged together. */
export interface TextInput {
  readonly text: string;
  readonly textPair?: string;
}

/** How an input longer than the model reads is cut. `reject` refuses it instead. */
export type Truncation = 'end' | 'start' | 'reject';

/** One tokenised input, special tokens included, not padded. */
export interface Encoding {
  /** Token ids, at most the model's `maxTokens`. */
  readonly ids: Int32Array;
  /** Index of the first token of type 1 (the second text of a pair); `ids.length` where there is none. */
  readonly pairStart: number;
  /** Whether something was cut off. */
  readonly truncated: boolean;
}

/** Turns texts into tokens for one model. */
export interface Tokenizer {
  /** Tokens that the model reads at most, special tokens included. */
  readonly maxTokens: number;
  /** The id that pads a batch. */
  readonly padId: number;
  /**
   * Tokenises one input, here or on a worker thread. The number of characters was checked before.
   * @param work what the input is tokenised for; it is dropped, unless begun, once that is abandoned
   * @throws VerdictError invalid_argument when truncation is `reject` and the input is too long; cancelled
   *   when it was dropped; internal when two threads were lost with it; unavailable when none answers
   */
  encode(input: TextInput, truncation: Truncation, work?: Work): Promise<Encoding>;
}

/** Something that may cease to be wanted. */
export interface Work {
  readonly abandoned: boolean;
}

/** Events for logs. None may throw. */
export interface TokenizerHooks {
  /** A tokenizer thread ended by itself and is being replaced. */
  onThreadLost?(reason: string): void;
  /** The last thread was lost, or the first one is back. */
  onAvailability?(available: boolean): void;
  /** The replacement of a thread could not read a tokenizer, whose texts it fails until it can. */
  onReloadFailed?(reason: string): void;
}
