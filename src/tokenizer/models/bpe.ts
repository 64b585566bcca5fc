import * as library from '@huggingface/tokenizers';
import { BYTE_CHARACTERS } from '../byte-alphabet.js';
import { objectIn, shown, stringIn } from '../checked-values.js';
import { type ComponentJson, unsupported } from '../tokenizer-json.js';
import { BYTE_TOKENS, type Model } from './model.js';

/** The part of the library's BPE that we use; its own declarations do not resolve under `nodenext`. */
interface LibraryBpe {
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  /** The tokens of words; `unk_token` for each unknown character. */
  encode(words: readonly string[]): readonly string[];
}

const { BPE: LibraryBpeClass } = library as unknown as { BPE: new (json: ComponentJson) => LibraryBpe };

/**
 * Byte-pair encoding by `@huggingface/tokenizers`. Where it differs from the Rust library, this class refuses the
 * setting or handles it.
 */
export class Bpe implements Model {
  readonly #library: LibraryBpe;
  readonly #unknown: string | undefined;
  readonly #fuses: boolean;

  constructor(json: ComponentJson) {
    const refuse = (detail: string): never => {
      throw unsupported('the model BPE', detail);
    };
    if (json.continuing_subword_prefix) {
      refuse(`continuing_subword_prefix ${shown(json.continuing_subword_prefix)}`);
    }
    if (json.dropout) refuse(`dropout ${shown(json.dropout)}, which makes the tokens random`);
    objectIn(json.vocab, 'the model BPE', 'vocab');
    for (const field of ['unk_token', 'end_of_word_suffix', 'continuing_subword_suffix']) {
      stringIn(json[field] ?? '', 'the model BPE', field);
    }
    checkMergeShapes(json.merges, refuse);
    this.#library = new LibraryBpeClass(json);
    const ids = this.#library.tokens_to_ids;
    checkMerges(json, ids, refuse);
    this.#fuses = json.fuse_unk === true;
    this.#unknown = typeof json.unk_token === 'string' ? json.unk_token : undefined;
    if (json.byte_fallback === true) {
      const bytes = BYTE_TOKENS.filter((token) => ids.has(token)).length;
      if (bytes > 0 && bytes < 256) refuse(`byte_fallback with ${bytes} of 256 byte tokens`);
    }
    const knowsAll = BYTE_CHARACTERS.every((character) => ids.has(character));
    if (this.#unknown !== undefined && !ids.has(this.#unknown) && !knowsAll) {
      refuse(`its vocabulary lacks its unk_token ${shown(this.#unknown)}`);
    }
  }

  get size(): number {
    return this.#library.tokens_to_ids.size;
  }

  idOf(token: string): number | undefined {
    return this.#library.tokens_to_ids.get(token);
  }

  tokenize(word: string, ids: number[]): void {
    let afterUnknown = false;
    for (const token of this.#library.encode([word])) {
      const isUnknown = this.#fuses && token === this.#unknown;
      const id = isUnknown && afterUnknown ? undefined : this.#library.tokens_to_ids.get(token);
      if (id !== undefined) ids.push(id);
      afterUnknown = isUnknown;
    }
  }
}

/** Two tokens in one string with a space between them, or in a list; the library takes all to be as the first one is. */
function checkMergeShapes(merges: unknown, refuse: (detail: string) => never): void {
  if (!Array.isArray(merges)) throw unsupported('the model BPE', 'it has no merges');
  const areLists = Array.isArray(merges[0]);
  for (const merge of merges) {
    const isMerge = areLists
      ? Array.isArray(merge) && merge.length === 2 && merge.every((token) => typeof token === 'string')
      : typeof merge === 'string';
    if (!isMerge) refuse(`its merge ${shown(merge)} is not of two tokens`);
  }
}

/** Rust `tokenizers` refuses a file whose merges name tokens that are not in the vocabulary. */
function checkMerges(
  json: ComponentJson,
  ids: ReadonlyMap<string, number>,
  refuse: (detail: string) => never,
) {
  const merges = json.merges as readonly (string | readonly [string, string])[];
  for (const merge of merges) {
    const space = typeof merge === 'string' ? merge.indexOf(' ') : -1;
    const [left, right] =
      typeof merge === 'string' ? [merge.slice(0, space), merge.slice(space + 1)] : [merge[0], merge[1]];
    const isKnown =
      (typeof merge !== 'string' || space > 0) && ids.has(left) && ids.has(right) && ids.has(left + right);
    if (!isKnown) refuse(`its merge ${shown(merge)} is not of tokens of its vocabulary`);
    if (json.byte_fallback === true && (left.startsWith('<0x') || right.startsWith('<0x'))) {
      refuse(`its merge ${shown(merge)} is of byte tokens`);
    }
  }
}
