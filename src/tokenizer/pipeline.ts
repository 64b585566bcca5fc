import { AddedTokens } from './added-tokens.js';
import { createModel } from './models/create-model.js';
import type { Model } from './models/model.js';
import { createNormalizer, type Normalizer } from './normalizers/create-normalizer.js';
import { createPreTokenizer } from './pre-tokenizers/create-pre-tokenizer.js';
import type { PreTokenizer } from './pre-tokenizers/pre-tokenizer.js';
import type { TokenizerJson } from './tokenizer-json.js';

/**
 * A tokenizer as `tokenizer.json` describes it, from a text to ids without special tokens: it cuts out added tokens,
 * normalises the rest, cuts it into words, and gives them to the model. The reference is the Rust library `tokenizers`,
 * 0.23.3.
 */
export class Pipeline {
  readonly #normalize: Normalizer;
  readonly #added: AddedTokens;
  readonly #cut: PreTokenizer;
  readonly #model: Model;

  /** @throws Error naming the component that is not supported */
  constructor(json: TokenizerJson) {
    this.#normalize = createNormalizer(json.normalizer);
    this.#cut = createPreTokenizer(json);
    this.#model = createModel(json.model);
    this.#added = new AddedTokens(json, this.#model, this.#normalize);
  }

  /** The ids of a text without lone surrogates. */
  idsOf(text: string): number[] {
    const ids: number[] = [];
    for (const raw of this.#added.splitRaw(text)) {
      if (raw.kind === 'token') ids.push(raw.id);
      else this.#tokenize(this.#normalize(raw.text), raw.start === 0, ids);
    }
    return ids;
  }

  idOf(token: string): number | undefined {
    return this.#added.idOf(token) ?? this.#model.idOf(token);
  }

  #tokenize(normalized: string, isStart: boolean, ids: number[]): void {
    for (const section of this.#added.splitNormalized(normalized)) {
      if (section.kind === 'token') {
        ids.push(section.id);
        continue;
      }
      for (const word of this.#cut(section.text, isStart && section.start === 0)) {
        if (word !== '') this.#model.tokenize(word, ids);
      }
    }
  }
}
