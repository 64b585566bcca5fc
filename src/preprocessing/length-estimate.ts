import type { TextInput } from '../tokenizer/types.js';

/** Of English in a vocabulary of words and their parts; other texts show theirs soon. */
const FIRST_CHARS_PER_TOKEN = 4;
/** How fast a text moves the estimate: about the last fifty count. */
const WEIGHT = 0.02;

/** What one text may say: more is blanks, less is symbols, and one caller's decide nothing for the others. */
const LEAST_CHARS_PER_TOKEN = 1 / 4;
const MOST_CHARS_PER_TOKEN = 16;

/** How many tokens a text will have, by what the last ones had for their characters. Special tokens count as text. */
export class LengthEstimate {
  readonly #maxTokens: number;
  #charsPerToken = FIRST_CHARS_PER_TOKEN;

  /** @param maxTokens what is left of a longer text */
  constructor(maxTokens: number) {
    this.#maxTokens = maxTokens;
  }

  /** At least 1. */
  tokens(input: TextInput): number {
    return Math.max(1, Math.min(this.#maxTokens, Math.ceil(charsOf(input) / this.#charsPerToken)));
  }

  /** Learns from a text that was not cut: `tokens` are all that it has. */
  observe(input: TextInput, tokens: number): void {
    const seen = Math.min(MOST_CHARS_PER_TOKEN, Math.max(LEAST_CHARS_PER_TOKEN, charsOf(input) / tokens));
    this.#charsPerToken += WEIGHT * (seen - this.#charsPerToken);
  }
}

function charsOf({ text, textPair }: TextInput): number {
  return text.length + (textPair?.length ?? 0);
}
