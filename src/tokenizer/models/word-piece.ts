import type { ComponentJson } from '../tokenizer-json.js';
import { type Model, vocabularyOf } from './model.js';
import { unknownIdOf } from './word-level.js';

const DEFAULT_MAX_CHARS = 100;

/** The longest piece that the vocabulary knows, again and again; a word with an unknown rest is unknown as a whole. */
export class WordPiece implements Model {
  readonly #ids: Map<string, number>;
  readonly #unknown: number;
  readonly #prefix: string;
  readonly #maxChars: number;

  constructor(json: ComponentJson) {
    this.#ids = vocabularyOf(json.vocab);
    this.#unknown = unknownIdOf(this.#ids, json.unk_token, 'WordPiece');
    this.#prefix = String(json.continuing_subword_prefix ?? '##');
    this.#maxChars = Number(json.max_input_chars_per_word ?? DEFAULT_MAX_CHARS);
  }

  get size(): number {
    return this.#ids.size;
  }

  idOf(token: string): number | undefined {
    return this.#ids.get(token);
  }

  tokenize(word: string, ids: number[]): void {
    const before = ids.length;
    if (word.length > this.#maxChars && Array.from(word).length > this.#maxChars) {
      ids.push(this.#unknown);
      return;
    }
    for (let start = 0; start < word.length; ) {
      const end = this.#pieceEnd(word, start, ids);
      if (end === undefined) {
        ids.length = before;
        ids.push(this.#unknown);
        return;
      }
      start = end;
    }
  }

  /** Appends the longest piece that begins at `start`, and says where it ends. */
  #pieceEnd(word: string, start: number, ids: number[]): number | undefined {
    for (let end = word.length; end > start; end--) {
      const piece = word.slice(start, end);
      const id = this.#ids.get(start === 0 ? piece : this.#prefix + piece);
      if (id === undefined) continue;
      ids.push(id);
      return end;
    }
    return undefined;
  }
}
