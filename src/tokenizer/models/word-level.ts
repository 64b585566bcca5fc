import { shown } from '../checked-values.js';
import { type ComponentJson, unsupported } from '../tokenizer-json.js';
import { type Model, vocabularyOf } from './model.js';

/** A word is one token, or unknown. */
export class WordLevel implements Model {
  readonly #ids: Map<string, number>;
  readonly #unknown: number;

  constructor(json: ComponentJson) {
    this.#ids = vocabularyOf(json);
    this.#unknown = unknownIdOf(this.#ids, json.unk_token, 'WordLevel');
  }

  get size(): number {
    return this.#ids.size;
  }

  idOf(token: string): number | undefined {
    return this.#ids.get(token);
  }

  tokenize(word: string, ids: number[]): void {
    ids.push(this.#ids.get(word) ?? this.#unknown);
  }
}

/** Without it, Rust `tokenizers` fails on the first unknown word. */
export function unknownIdOf(ids: ReadonlyMap<string, number>, token: unknown, model: string): number {
  const id = typeof token === 'string' ? ids.get(token) : undefined;
  if (id === undefined) {
    throw unsupported(`the model ${model}`, `its vocabulary lacks its unk_token ${shown(token)}`);
  }
  return id;
}
