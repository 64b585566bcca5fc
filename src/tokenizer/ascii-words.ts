import type { TokenizerJson } from './tokenizer-json.js';

/** Words remembered per tokenizer, about 100 bytes each. Natural text uses far fewer. */
const MAX_WORDS = 32_768;
/** Longer words are not worth remembering. */
const MAX_WORD_CHARS = 40;
const WORD_OR_MARK = /[A-Za-z0-9]+|[!-/:-@[-`{-~]/g;

/**
 * A short cut for plain ASCII text under a BERT tokenizer (normalizer, pre-tokenizer and WordPiece model of that
 * kind), where each word and each punctuation mark is tokenised by itself: what the pipeline makes of a word is
 * remembered, and a text is put together from its words. Several times as fast on English sentences, with the same
 * result. Any other text, or tokenizer, takes the whole way.
 */
export class AsciiWords {
  readonly #plain: RegExp;
  readonly #lowercase: boolean;
  readonly #idsOfWord: (word: string) => readonly number[];
  readonly #words = new Map<string, readonly number[]>();

  private constructor(plain: RegExp, lowercase: boolean, idsOfWord: (word: string) => readonly number[]) {
    this.#plain = plain;
    this.#lowercase = lowercase;
    this.#idsOfWord = idsOfWord;
  }

  /** The short cut for a tokenizer; undefined where it does not apply. */
  static of(json: TokenizerJson, idsOfWord: (word: string) => readonly number[]): AsciiWords | undefined {
    const isBert =
      json.normalizer?.type === 'BertNormalizer' &&
      json.pre_tokenizer?.type === 'BertPreTokenizer' &&
      json.model?.type === 'WordPiece';
    // An added token, such as [SEP], is found anywhere in a text: a text that might hold one is not plain.
    const openers = new Set((json.added_tokens ?? []).map(({ content }) => content.charAt(0)));
    if (!isBert || [...openers].some((opener) => !/^[!-/:-@[-`{-~]$/.test(opener))) return undefined;
    const characters = Array.from({ length: 0x7f - 0x20 }, (_, index) => String.fromCharCode(0x20 + index));
    const allowed = characters.filter((character) => !openers.has(character)).map(escaped);
    const plain = new RegExp(`^[\\t\\n\\r${allowed.join('')}]*$`);
    return new AsciiWords(plain, (json.normalizer?.lowercase ?? true) === true, idsOfWord);
  }

  /** The ids of a text, without special tokens; undefined for a text that has to take the whole way. */
  idsOf(text: string): number[] | undefined {
    if (!this.#plain.test(text)) return undefined;
    const ids: number[] = [];
    const words = (this.#lowercase ? text.toLowerCase() : text).match(WORD_OR_MARK) ?? [];
    for (const word of words) for (const id of this.#lookUp(word)) ids.push(id);
    return ids;
  }

  #lookUp(word: string): readonly number[] {
    const known = this.#words.get(word);
    if (known !== undefined) return known;
    const ids = this.#idsOfWord(word);
    if (word.length > MAX_WORD_CHARS) return ids;
    if (this.#words.size >= MAX_WORDS) this.#words.clear();
    this.#words.set(word, ids);
    return ids;
  }
}

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16)}`;
}
