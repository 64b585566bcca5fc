import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HfTokenizer } from '../../../src/tokenizer/hf-tokenizer.js';
import type { TokenizerConfig, TokenizerJson } from '../../../src/tokenizer/tokenizer-json.js';

const bert = {
  added_tokens: [{ id: 0, content: '[PAD]', special: true, lstrip: false, single_word: false }],
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'Replace', pattern: { String: 'x' }, content: 'y' },
      { type: 'Replace', pattern: { Regex: 'x+' }, content: 'y' },
      { type: 'Prepend', prepend: ' ' },
      { type: 'BertNormalizer', lowercase: true, strip_accents: null },
    ],
  },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: '\\s+' }, behavior: 'Removed', invert: false },
      { type: 'CharDelimiterSplit', delimiter: '-' },
      { type: 'FixedLength', length: 3 },
    ],
  },
  model: {
    type: 'WordPiece',
    vocab: { '[PAD]': 0, '[UNK]': 1, a: 2, '##a': 3 },
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
  },
  post_processor: { type: 'BertProcessing', cls: ['a', 2], sep: ['[UNK]', 1] },
};
const unigram = {
  pre_tokenizer: { type: 'Metaspace', replacement: '_', prepend_scheme: 'always', split: true },
  model: {
    type: 'Unigram',
    vocab: [
      ['<unk>', 0],
      ['a', -1.5],
    ],
    unk_id: 0,
    byte_fallback: false,
  },
  post_processor: {
    type: 'TemplateProcessing',
    special_tokens: { a: { id: 'a', ids: [1], tokens: ['a'] } },
    single: [{ SpecialToken: { id: 'a', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
  },
};
const bpe = {
  model: {
    type: 'BPE',
    vocab: { a: 0, b: 1, ab: 2, '<unk>': 3 },
    merges: [['a', 'b']],
    unk_token: '<unk>',
    fuse_unk: true,
  },
  post_processor: { type: 'RobertaProcessing', cls: ['a', 0], sep: ['b', 1] },
};
const config = {
  tokenizer_class: 'BertTokenizer',
  do_lower_case: true,
  pad_token: '[PAD]',
  cls_token: { content: 'a', special: true },
  additional_special_tokens: ['a'],
  added_tokens_decoder: { 0: { content: '[PAD]' } },
};

type Place = readonly (string | number)[];

function placesIn(json: unknown, place: Place = []): Place[] {
  const entries = typeof json === 'object' && json !== null ? Object.entries(json) : [];
  return [place, ...entries.flatMap(([key, value]) => placesIn(value, [...place, key]))];
}

function withValue(json: unknown, [key, ...rest]: Place, value: unknown): unknown {
  if (key === undefined) return value;
  const changed: Record<string, unknown> = structuredClone(json) as Record<string, unknown>;
  changed[key] = withValue(changed[key], rest, value);
  return changed;
}

const ODD: readonly unknown[] = [
  ...[undefined, null, true, 0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 1e300],
  ...['', 'a', '##', '\ud800', [], [[]], [null], [1, 2], ['a', 'b'], [{}], {}, { type: 'Sequence' }],
  ...[{ type: null }, { type: 'NFC' }, { String: 5 }, { Regex: '(' }, { content: 5 }],
];

/** What is said about a tokenizer; undefined of one that can be read, and reads. */
function complaint(json: unknown, configJson: unknown = {}): string | undefined {
  try {
    const tokenizer = new HfTokenizer(json as TokenizerJson, configJson as TokenizerConfig, 64);
    const result = tokenizer.encode({ text: 'a ab -c é 中', textPair: '[PAD] xx' }, 'end');
    const ids = result.kind === 'encoding' ? Array.from(result.encoding.ids) : [-1];
    return ids.every((id) => id >= 0) ? undefined : `ids ${ids.join()}`;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a file that is not of the shape that it should have', () => {
  for (const [name, json] of Object.entries({ bert, unigram, bpe })) {
    it(`is refused in a sentence, if not understood: tokenizer.json of ${name}`, () => {
      assert.equal(complaint(json), undefined);
      for (const place of placesIn(json)) {
        for (const value of ODD) {
          const message = complaint(withValue(json, place, value));
          if (message === undefined) continue;
          assert.match(
            message,
            /^tokenizer\.json: .* is not supported: /,
            `${place.join('.')} ${String(value)}`,
          );
        }
      }
    });
  }

  it('is refused in a sentence, if not understood: tokenizer_config.json', () => {
    assert.equal(complaint(bert, config), undefined);
    for (const place of placesIn(config)) {
      for (const value of ODD) {
        const message = complaint(bert, withValue(config, place, value));
        if (message !== undefined) assert.match(message, /^tokenizer(_config)?\.json: /, place.join('.'));
      }
    }
  });

  it('is refused in a sentence, if not understood: whatever JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (json, other) => {
        assert.match(complaint(json) ?? '', /^tokenizer\.json: /);
        const part = complaint({ ...bert, ...(other as object) });
        if (part !== undefined) assert.match(part, /^tokenizer\.json: /);
      }),
    );
  });
});

const REFUSED: readonly (readonly [object, Place, unknown, RegExp])[] = [
  ...[-1, 0.5, '7', 2 ** 31, null].flatMap(
    (id) =>
      [
        [bert, ['model', 'vocab', 'a'], id, /WordPiece.*its vocab\["a"\] is/],
        [bpe, ['model', 'vocab', 'ab'], id, /BPE.*its vocab\["ab"\] is/],
        [bert, ['added_tokens', 0, 'id'], id, /added token "\[PAD\]".*its id is/],
        [bert, ['post_processor', 'cls', 1], id, /BertProcessing.*its cls or sep is/],
        [bpe, ['post_processor', 'sep', 1], id, /RobertaProcessing.*its cls or sep is/],
        [unigram, ['model', 'unk_id'], id, /Unigram.*its unk_id is/],
        [
          unigram,
          ['post_processor', 'special_tokens', 'a', 'ids', 0],
          id,
          /TemplateProcessing.*its id of "a" is/,
        ],
      ] as const,
  ),
  ...[-1, 0.5, '1'].map(
    (type) =>
      [
        unigram,
        ['post_processor', 'pair', 1, 'Sequence', 'type_id'],
        type,
        /TemplateProcessing.*pair's type_id is/,
      ] as const,
  ),
  ...[Number.NaN, Number.NEGATIVE_INFINITY, '0', null].map(
    (score) => [unigram, ['model', 'vocab', 1, 1], score, /Unigram.*its vocab\[1\] is \["a"/] as const,
  ),
  [unigram, ['model', 'unk_id'], 2, /Unigram.*its unk_id is 2, which is no index of its 2 pieces/],
  [unigram, ['model', 'vocab', 1], 'a', /Unigram.*its vocab\[1\] is "a"/],
  [bert, ['model', 'vocab'], null, /WordPiece.*its vocab is null, not an object/],
  [bert, ['model', 'vocab'], [], /WordPiece.*its vocab is \[\], not an object/],
  [bpe, ['model', 'merges', 1], 'a b', /BPE.*its merge "a b" is not of two tokens/],
  [bert, ['normalizer', 'normalizers', 0, 'content'], undefined, /Replace.*its content is missing/],
  [bert, ['normalizer', 'normalizers', 2], nested(1000), /normalizer Sequence.*nested/],
];

function nested(depth: number): object {
  let json: object = { type: 'NFC' };
  for (let level = 0; level < depth; level++) json = { type: 'Sequence', normalizers: [json] };
  return json;
}

describe('a number or a part of a tokenizer that cannot be one', () => {
  for (const [json, place, value, message] of REFUSED) {
    it(`is refused by name: ${place.join('.')} as ${String(JSON.stringify(value)).slice(0, 40)}`, () => {
      assert.match(complaint(withValue(json, place, value)) ?? 'nothing', message);
    });
  }
});
