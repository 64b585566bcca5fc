import type { Encoded, Feed } from '../runtime/feeds.js';
import { tokenizerFingerprint } from '../tokenizer/fingerprint.js';
import { noTokens } from '../tokenizer/tokenizer-errors.js';
import type { Encoding, TextInput, Tokenizer, Truncation, Work } from '../tokenizer/types.js';
import { LengthEstimate } from './length-estimate.js';
import type { Preprocessor } from './preprocessor.js';
import { PROBES, spreadByCost } from './text-probes.js';

/** A single text has no token types: all of them are padding, which is 0. */
const NO_TYPES = new Int32Array(0);
/** Longer probes cost time at every start and show nothing more. */
const LONGEST_PROBE_TOKENS = 64;

/** What a model says about the texts that it reads. */
export interface TextSettings {
  /** The id that pads a batch; undefined: the tokenizer's own. */
  readonly padId?: number | undefined;
  /** Of the first token, for models that ask for positions. Default: 0. */
  readonly firstPosition?: number;
}

/** Prepares texts and pairs of texts for models like BERT. The cost is the number of tokens. */
export class TextPreprocessor implements Preprocessor<TextInput> {
  readonly feeds: readonly Feed[];
  readonly maxCost: number;
  readonly digest: string;
  readonly #tokenizer: Tokenizer;
  readonly #lengths: LengthEstimate;

  constructor(tokenizer: Tokenizer, { padId = tokenizer.padId, firstPosition = 0 }: TextSettings = {}) {
    this.#tokenizer = tokenizer;
    this.maxCost = tokenizer.maxTokens;
    this.feeds = textFeeds(padId, firstPosition);
    const settings = [padId, firstPosition, tokenizer.maxTokens];
    this.digest = JSON.stringify([tokenizerFingerprint(), tokenizer.filesDigest, ...settings]);
    this.#lengths = new LengthEstimate(tokenizer.maxTokens);
  }

  keyOf(input: TextInput): string {
    return textKey(input);
  }

  estimate(input: TextInput): number {
    return this.#lengths.tokens(input);
  }

  async encode(input: TextInput, truncation: Truncation, work?: Work): Promise<Encoded> {
    const encoding = await this.#tokenizer.encode(input, truncation, work);
    if (encoding.ids.length === 0) throw noTokens(input);
    if (!encoding.truncated) this.#lengths.observe(input, encoding.ids.length);
    return encodedText(encoding);
  }

  async ofCost(cost: number): Promise<Encoded> {
    // Each word is a token at least.
    return encodedText(await this.#truncated({ text: 'one more '.repeat(cost) }, cost));
  }

  async probes(known: readonly TextInput[], cost = LONGEST_PROBE_TOKENS): Promise<Encoded[]> {
    const encode = async (inputs: readonly TextInput[]) => {
      const encodings = await Promise.all(inputs.map((input) => this.#truncated(input, cost)));
      return encodings.filter(({ ids }) => ids.length > 0).map(encodedText);
    };
    return [...(await encode(PROBES)), ...spreadByCost(await encode(known))].sort((a, b) => a.cost - b.cost);
  }

  close(): void {
    this.#tokenizer.close();
  }

  /** By the tokenizer, which keeps the special tokens: some models count them, or answer at the last one. */
  #truncated(input: TextInput, tokens: number): Promise<Encoding> {
    return this.#tokenizer.encode(input, 'end', undefined, tokens);
  }
}

/**
 * Identifies an input. Each text is preceded by its length, so that no two inputs give the same string: neither `ab` + `c` and
 * `a` + `bc`, nor a text and a pair whose second text is empty.
 */
export function textKey({ text, textPair }: TextInput): string {
  return textPair === undefined
    ? `${text.length}:${text}`
    : `${text.length}:${text}|${textPair.length}:${textPair}`;
}

/** How a graph's inputs are filled from texts. @param padId the id that pads a batch */
export function textFeeds(padId: number, firstPosition = 0): Feed[] {
  return [
    { kind: 'ragged', name: 'input_ids', pad: padId },
    { kind: 'mask', name: 'attention_mask', of: 'input_ids' },
    { kind: 'ragged', name: 'token_type_ids', pad: 0 },
    { kind: 'positions', name: 'position_ids', first: firstPosition },
    // Longformer classifies by the first token, which therefore attends to all others.
    { kind: 'lead', name: 'global_attention_mask' },
  ];
}

/** The tensors of a tokenised input. */
export function encodedText({ ids, pairStart, truncated }: Encoding): Encoded {
  const token_type_ids = pairStart < ids.length ? new Int32Array(ids.length).fill(1, pairStart) : NO_TYPES;
  return { cost: ids.length, truncated, tensors: { input_ids: ids, token_type_ids } };
}
