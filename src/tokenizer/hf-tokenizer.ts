import { AsciiWords } from './ascii-words.js';
import { checkedConfig } from './checked-config.js';
import { checkedTokenizer } from './checked-tokenizer.js';
import { Pipeline } from './pipeline.js';
import type { PairTemplate, SingleTemplate } from './special-template.js';
import { templatesOf } from './special-tokens.js';
import type { TokenizerConfig, TokenizerJson } from './tokenizer-json.js';
import { asTransformersReads } from './transformers-config.js';
import { keptFrom, keptOfPair } from './truncate.js';
import type { Encoding, TextInput, Truncation } from './types.js';

/** An encoding, or the number of tokens of an input that is too long and must not be truncated. */
export type EncodeResult =
  | { readonly kind: 'encoding'; readonly encoding: Encoding }
  | { readonly kind: 'too_long'; readonly tokens: number };

const LONE_SURROGATE = /\p{Cs}/u;
const LONE_SURROGATES = /\p{Cs}/gu;

/** A Hugging Face tokenizer on the thread that calls it: adds special tokens and truncates. */
export class HfTokenizer {
  readonly maxTokens: number;
  /** The id that pads a batch. */
  readonly padId: number;
  readonly #pipeline: Pipeline;
  readonly #words: AsciiWords | undefined;
  readonly #single: SingleTemplate;
  readonly #pair: PairTemplate;

  /**
   * @param json `tokenizer.json`
   * @param config `tokenizer_config.json`; {} if there is none
   * @param maxTokens most tokens that the model reads, including special tokens
   * @throws Error for a tokenizer that is not supported, or a limit that special tokens alone exceed
   */
  constructor(json: TokenizerJson, config: TokenizerConfig, maxTokens: number) {
    const effective = asTransformersReads(checkedTokenizer(json), checkedConfig(config));
    const pipeline = new Pipeline(effective);
    const { single, pair } = templatesOf(effective.post_processor);
    const specials = pair.prefix.length + pair.middle.length + pair.suffix.length;
    if (maxTokens < specials) {
      throw new Error(`a limit of ${maxTokens} tokens is too small: special tokens alone take ${specials}`);
    }
    this.maxTokens = maxTokens;
    this.padId = padIdOf(pipeline, config);
    this.#pipeline = pipeline;
    this.#words = AsciiWords.of(effective, (word) => pipeline.idsOf(word));
    this.#single = single;
    this.#pair = pair;
  }

  /** Tokenises one input: adds special tokens and truncates it to the limit as `truncation` says. */
  encode(input: TextInput, truncation: Truncation, maxTokens = this.maxTokens): EncodeResult {
    return input.textPair === undefined
      ? this.#encodeSingle(this.#idsOf(input.text), truncation, maxTokens)
      : this.#encodePair(this.#idsOf(input.text), this.#idsOf(input.textPair), truncation, maxTokens);
  }

  #idsOf(text: string): readonly number[] {
    return this.#words?.idsOf(text) ?? this.#pipeline.idsOf(wellFormed(text));
  }

  #encodeSingle(text: readonly number[], truncation: Truncation, maxTokens: number): EncodeResult {
    const { prefix, suffix } = this.#single;
    const budget = Math.max(0, maxTokens - prefix.length - suffix.length);
    const truncated = text.length > budget;
    if (truncated && truncation === 'reject') {
      return { kind: 'too_long', tokens: text.length + prefix.length + suffix.length };
    }
    const kept = Math.min(text.length, budget);
    const ids = new Int32Array(prefix.length + kept + suffix.length);
    ids.set(prefix);
    copy(text, keptFrom(text.length, kept, truncation), kept, ids, prefix.length);
    ids.set(suffix, prefix.length + kept);
    return { kind: 'encoding', encoding: { ids, pairStart: ids.length, truncated } };
  }

  #encodePair(
    first: readonly number[],
    second: readonly number[],
    truncation: Truncation,
    maxTokens: number,
  ): EncodeResult {
    const { prefix, middle, suffix, typeOffset } = this.#pair;
    const specials = prefix.length + middle.length + suffix.length;
    const budget = Math.max(0, maxTokens - specials);
    const total = first.length + second.length;
    if (total > budget && truncation === 'reject') {
      return { kind: 'too_long', tokens: total + specials };
    }
    const [keptFirst, keptSecond] = keptOfPair(first.length, second.length, budget);
    const firstEnd = prefix.length + keptFirst;
    const secondStart = firstEnd + middle.length;
    const ids = new Int32Array(secondStart + keptSecond + suffix.length);
    ids.set(prefix);
    copy(first, keptFrom(first.length, keptFirst, truncation), keptFirst, ids, prefix.length);
    ids.set(middle, firstEnd);
    copy(second, keptFrom(second.length, keptSecond, truncation), keptSecond, ids, secondStart);
    ids.set(suffix, secondStart + keptSecond);
    const pairStart = typeOffset === undefined ? ids.length : firstEnd + typeOffset;
    return { kind: 'encoding', encoding: { ids, pairStart, truncated: total > budget } };
  }
}

function copy(from: readonly number[], start: number, count: number, to: Int32Array, at: number): void {
  for (let index = 0; index < count; index++) to[at + index] = from[start + index] ?? 0;
}

/** A lone surrogate is not a character: as in UTF-8, U+FFFD replaces it. */
function wellFormed(text: string): string {
  return LONE_SURROGATE.test(text) ? text.replaceAll(LONE_SURROGATES, '\ufffd') : text;
}

/** By the name in the configuration, else by the names in BERT and RoBERTa; 0 if there is none. */
function padIdOf(pipeline: Pipeline, config: TokenizerConfig): number {
  const named = typeof config.pad_token === 'string' ? config.pad_token : config.pad_token?.content;
  for (const token of [named, '[PAD]', '<pad>']) {
    const id = token === undefined ? undefined : pipeline.idOf(token);
    if (id !== undefined) return id;
  }
  return 0;
}
