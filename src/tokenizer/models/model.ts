import type { ModelVocabulary } from '../added-tokens.js';
import { objectIn } from '../checked-values.js';
import type { ComponentJson } from '../tokenizer-json.js';

/** Turns a word of the pre-tokenizer into token ids. */
export interface Model extends ModelVocabulary {
  /** Appends the ids of a word that is not empty. */
  tokenize(word: string, ids: number[]): void;
}

/** `vocab` of a model that maps tokens to ids. @throws Error naming the model */
export function vocabularyOf({ type, vocab }: ComponentJson): Map<string, number> {
  return new Map(Object.entries(objectIn(vocab, `the model ${type}`, 'vocab') as Record<string, number>));
}

/** The names of the 256 tokens that stand for bytes, as SentencePiece writes them. */
export const BYTE_TOKENS: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
);
