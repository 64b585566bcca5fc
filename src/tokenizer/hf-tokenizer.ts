import { AsciiWords } from './ascii-words.js';
import { Pipeline } from './pipeline.js';
import type { PairTemplate, SingleTemplate } from './special-template.js';
import { templatesOf } from './special-tokens.js';
import type { TokenizerConfig, TokenizerJson } from './tokenizer-json.js';
import { asTransformersReads } from './transformers-config.js';
import { keptFrom, keptOfPair } from './truncate.js';
import type { Encoding, TextInput, Truncation } from './types.js';

/** An encoding, or the number of tokens of an input that is too long and was not to be cut. */
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
   * @param config `tokenizer_config.json`; {} where there is none
   * @param maxTokens tokens that the model reads at most, special tokens included
   * @throws Error for a tokenizer that would be read wrongly, or a limit that special tokens alone exceed
   */
  constructor(json: TokenizerJson, config: TokenizerConfig, maxTokens: number) {
    const effective = asTransformersReads(json, config);
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

  /** Tokenises one input: special tokens added, cut to the limit as `truncation` says. */
  encode(input: TextInput, truncation: Truncation): EncodeResult {
    return input.textPair === undefined
      ? this.#encodeSingle(this.#idsOf(input.text), truncation)
      : this.#encodePair(this.#idsOf(input.text), this.#idsOf(input.textPair), truncation);
  }

  #idsOf(text: string): readonly number[] {
    return this.#words?.idsOf(text) ?? this.#pipeline.idsOf(wellFormed(text));
  }

  #encodeSingle(text: readonly number[], truncation: Truncation): EncodeResult {
    const { prefix, suffix } = this.#single;
    const budget = this.maxTokens - prefix.length - suffix.length;
    const truncated = text.length > budget;
    if (truncated && truncation === 'reject') {
      return { kind: 'too_long', tokens: text.length + this.maxTokens - budget };
    }
    const kept = Math.min(text.length, budget);
    const ids = new Int32Array(prefix.length + kept + suffix.length);
    ids.set(prefix);
    copy(text, keptFrom(text.length, kept, truncation), kept, ids, prefix.length);
    ids.set(suffix, prefix.length + kept);
    return { kind: 'encoding', encoding: { ids, pairStart: ids.length, truncated } };
  }

  #encodePair(first: readonly number[], second: readonly number[], truncation: Truncation): EncodeResult {
    const { prefix, middle, suffix, typeOffset } = this.#pair;
    const budget = this.maxTokens - prefix.length - middle.length - suffix.length;
    const total = first.length + second.length;
    if (total > budget && truncation === 'reject') {
      return { kind: 'too_long', tokens: total + this.maxTokens - budget };
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

/** A lone surrogate is no character: as in UTF-8, U+FFFD stands for it. */
function wellFormed(text: string): string {
  return LONE_SURROGATE.test(text) ? text.replaceAll(LONE_SURROGATES, '\ufffd') : text;
}

/** By the name in the configuration, else by the names that BERT and RoBERTa give it; 0 where there is none. */
function padIdOf(pipeline: Pipeline, config: TokenizerConfig): number {
  const named = typeof config.pad_token === 'string' ? config.pad_token : config.pad_token?.content;
  for (const token of [named, '[PAD]', '<pad>']) {
    const id = token === undefined ? undefined : pipeline.idOf(token);
    if (id !== undefined) return id;
  }
  return 0;
}
