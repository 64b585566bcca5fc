import type { EncodeResult, HfTokenizer } from './hf-tokenizer.js';
import { readTokenizer } from './read-tokenizer.js';
import type { TokenizerFiles } from './tokenizer-files.js';
import type { TextInput, Truncation } from './types.js';

/** Texts up to this many characters take microseconds in any script. */
const MAX_CHARS = 256;
/** Reading a larger vocabulary would block the main thread for too long. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
/**
 * Tokenises a short solo text on the main thread of an idle server. Waking a thread and being woken by it would cost
 * more than the work: the caches are cold, and nothing else waits for the main thread.
 */
export class LoneText {
  readonly #tokenizer: HfTokenizer | undefined;

  /** @throws Error for a tokenizer that cannot be read */
  constructor(files: TokenizerFiles) {
    this.#tokenizer = files.tokenizerJson.length > MAX_FILE_BYTES ? undefined : readTokenizer(files);
  }

  /** The result, or undefined if the text is for the threads. @throws Error in the library's words */
  encode(input: TextInput, truncation: Truncation, maxTokens: number): EncodeResult | undefined {
    const chars = input.text.length + (input.textPair?.length ?? 0);
    return chars > MAX_CHARS ? undefined : this.#tokenizer?.encode(input, truncation, maxTokens);
  }
}
