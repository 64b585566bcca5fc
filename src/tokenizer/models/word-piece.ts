import { shown, stringIn } from '../checked-values.js';
import { type ComponentJson, unsupported } from '../tokenizer-json.js';
import { type Model, vocabularyOf } from './model.js';
import { unknownIdOf } from './word-level.js';

const DEFAULT_MAX_CHARS = 100;

/** Repeatedly takes the longest piece in the vocabulary; a word with an unknown rest is unknown as a whole. */
export class WordPiece implements Model {
  readonly #ids: Map<string, number>;
  readonly #unknown: number;
  readonly #prefix: string;
  readonly #maxChars: number;
  /** UTF-16 units of the longest token: no piece of a word is longer. */
  #maxPiece = 0;

  constructor(json: ComponentJson) {
    this.#ids = vocabularyOf(json);
    this.#unknown = unknownIdOf(this.#ids, json.unk_token, 'WordPiece');
    this.#prefix = stringIn(
      json.continuing_subword_prefix ?? '##',
      'the model WordPiece',
      'continuing_subword_prefix',
    );
    this.#maxChars = maxCharsOf(json);
    for (const token of this.#ids.keys()) this.#maxPiece = Math.max(this.#maxPiece, token.length);
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

  /** Appends the longest piece that begins at `start`, and returns its end. */
  #pieceEnd(word: string, start: number, ids: number[]): number | undefined {
    for (let end = Math.min(word.length, start + this.#maxPiece); end > start; end--) {
      const piece = word.slice(start, end);
      const id = this.#ids.get(start === 0 ? piece : this.#prefix + piece);
      if (id === undefined) continue;
      ids.push(id);
      return end;
    }
    return undefined;
  }
}

function maxCharsOf(json: ComponentJson): number {
  const value = json.max_input_chars_per_word ?? DEFAULT_MAX_CHARS;
  if (Number.isSafeInteger(value) && Number(value) > 0) return Number(value);
  throw unsupported('the model WordPiece', `its max_input_chars_per_word is ${shown(value)}`);
}
