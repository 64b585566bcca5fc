import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AsciiWords } from '../../../src/tokenizer/ascii-words.js';
import { Pipeline } from '../../../src/tokenizer/pipeline.js';
import type { AddedTokenJson, ComponentJson, TokenizerJson } from '../../../src/tokenizer/tokenizer-json.js';
import { topicsJson } from './fixture-tokenizer.js';

const plain = topicsJson();
const size = Object.keys(plain.model?.vocab as object).length;
const normalizer = (fields: object): TokenizerJson =>
  topicsJson({ normalizer: { ...plain.normalizer, ...fields } });
const model = (fields: object): TokenizerJson =>
  topicsJson({ model: { ...(plain.model as ComponentJson), ...fields } });
const withToken = (content: string, fields: Partial<AddedTokenJson> = {}): TokenizerJson =>
  topicsJson({
    added_tokens: [...(plain.added_tokens ?? []), { id: size, content, special: false, ...fields }],
  });

/** Tokenizers that differ in what the short cut does not ask for, or has to ask for. */
const TOKENIZERS: Readonly<Record<string, TokenizerJson>> = {
  plain,
  cased: normalizer({ lowercase: false }),
  uncleaned: normalizer({ clean_text: false }),
  accented: normalizer({ strip_accents: false, handle_chinese_chars: false }),
  'of short words': model({ max_input_chars_per_word: 4 }),
  'without a prefix': model({ continuing_subword_prefix: '' }),
  'with another unknown token': model({ unk_token: '[MASK]' }),
  'with an added mark': withToken('#x', { lstrip: true, rstrip: true }),
  'with an added mark in capitals': withToken('@MATCH', { normalized: true, single_word: true }),
  'with special tokens as text': { ...plain, encode_special_tokens: true },
};

const PARTS = [
  ...['match', 'The', 'goal', 'GOAL', 'w'.repeat(101), 'w'.repeat(100), 'matchgoal', '3.14', "don't", 'a-b'],
  ...['[SEP]', '[sep]', '[MASK]', '#x', '#', '@match', '@MATCH', '@', '[', ']', '##', '##s'],
  ...[
    ' ',
    '  ',
    '\t',
    '\n',
    '\r\n',
    '\0',
    '\x0b',
    '\x0c',
    '\x1c',
    '\x7f',
    '\x85',
    'Café',
    '中',
    'Σ',
    '😀',
    '\u200b',
  ],
];

describe('the short cut for plain ASCII', () => {
  const text = fc
    .array(fc.oneof(fc.constantFrom(...PARTS), fc.string({ maxLength: 6 })), { maxLength: 12 })
    .map((parts) => parts.join(''));

  for (const [name, json] of Object.entries(TOKENIZERS)) {
    it(`gives what the whole pipeline gives: a tokenizer ${name}`, () => {
      const pipeline = new Pipeline(json);
      const words = AsciiWords.of(json, (word) => pipeline.idsOf(word));
      assert.ok(words !== undefined);
      let taken = 0;
      fc.assert(
        fc.property(text, (sample) => {
          const ids = words.idsOf(sample);
          if (ids === undefined) return;
          taken++;
          assert.deepEqual(ids, pipeline.idsOf(sample));
        }),
        { numRuns: 400 },
      );
      assert.ok(taken > 20);
    });
  }

  it('is not taken where an added token begins with a letter, a space, or with what becomes one', () => {
    for (const content of ['xyz', ' x', '0x', 'éx', 'Ａx', '\u0001x']) {
      assert.equal(
        AsciiWords.of(withToken(content), () => []),
        undefined,
        content,
      );
    }
  });

  it('is not taken under another normalizer, pre-tokenizer or model', () => {
    const others = [
      { normalizer: { type: 'Lowercase' } },
      { normalizer: null },
      { pre_tokenizer: { type: 'Whitespace' } },
    ];
    for (const parts of others)
      assert.equal(
        AsciiWords.of(topicsJson(parts), () => []),
        undefined,
      );
  });
});
