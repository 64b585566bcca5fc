import { statSync } from 'node:fs';
import type { EncodeResult, HfTokenizer } from './hf-tokenizer.js';
import { readTokenizer } from './read-tokenizer.js';
import type { TokenizerSource } from './thread-messages.js';
import type { TextInput, Truncation } from './types.js';

/** Texts up to this many characters are a matter of microseconds, whatever their script. */
const MAX_CHARS = 256;
/** A larger vocabulary would hold up the main thread for too long while it is read. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
/**
 * Tokenises, on the main thread, a short text that comes alone to an idle server. Waking a thread and being woken by it
 * costs more than the work then: the caches are cold, and nothing else is waiting for the main thread.
 */
export class LoneText {
  readonly #tokenizer: HfTokenizer | undefined;

  /** @throws Error for a tokenizer that cannot be read */
  constructor(source: TokenizerSource) {
    const { size } = statSync(source.tokenizerJsonPath);
    this.#tokenizer = size > MAX_FILE_BYTES ? undefined : readTokenizer(source);
  }

  /** The result, or undefined where the text is one for the threads. @throws Error in the library's words */
  encode(input: TextInput, truncation: Truncation): EncodeResult | undefined {
    const chars = input.text.length + (input.textPair?.length ?? 0);
    return chars > MAX_CHARS ? undefined : this.#tokenizer?.encode(input, truncation);
  }
}
