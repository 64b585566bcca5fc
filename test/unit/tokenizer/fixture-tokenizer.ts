import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { HfTokenizer } from '../../../src/tokenizer/hf-tokenizer.js';
import type { TokenizerConfig, TokenizerJson } from '../../../src/tokenizer/tokenizer-json.js';
import type { Encoding, TextInput, TokenizerSource, Truncation } from '../../../src/tokenizer/types.js';

export interface GoldenEntry {
  readonly text: string;
  readonly text_pair?: string;
  readonly token_ids: readonly number[];
  readonly truncated: boolean;
}

/** The models whose golden files were recorded with the Rust tokenizers: fixtures, and the embedded models. */
export const GOLDEN_FOLDERS = [
  ...['topics', 'pairs', 'poison', 'slow'].map((name) => resolve('test/fixtures/models', name, '1')),
  ...['sentiment', 'intent'].map((name) => resolve('models', name, '1')),
];

export function goldenOf(folder: string): { maxTokens: number; entries: readonly GoldenEntry[] } {
  const golden: { max_length: number; entries: GoldenEntry[] } = JSON.parse(
    readFileSync(resolve(folder, 'golden.json'), 'utf8'),
  );
  return { maxTokens: golden.max_length, entries: golden.entries };
}

export function inputOf(entry: GoldenEntry): TextInput {
  return entry.text_pair === undefined
    ? { text: entry.text }
    : { text: entry.text, textPair: entry.text_pair };
}

export const TOPICS = resolve('test/fixtures/models/topics/1');

export function sourceOf(folder: string, maxTokens: number): TokenizerSource {
  return {
    tokenizerJsonPath: resolve(folder, 'tokenizer.json'),
    tokenizerConfigPath: resolve(folder, 'tokenizer_config.json'),
    maxTokens,
  };
}

/** `tokenizer.json` of the topics fixture with other parts in it. */
export function topicsJson(parts: object = {}): TokenizerJson {
  return { ...JSON.parse(readFileSync(resolve(TOPICS, 'tokenizer.json'), 'utf8')), ...parts };
}

export function directTokenizer(
  maxTokens: number,
  json: TokenizerJson = topicsJson(),
  config: TokenizerConfig = {},
): HfTokenizer {
  return new HfTokenizer(json, config, maxTokens);
}

/** Encodes where the input is known to fit or to be cut. */
export function encoded(tokenizer: HfTokenizer, input: TextInput, truncation: Truncation): Encoding {
  const result = tokenizer.encode(input, truncation);
  if (result.kind !== 'encoding') throw new Error(`${result.tokens} tokens are too many`);
  return result.encoding;
}
