import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TokenizerJson } from '../../../src/tokenizer/tokenizer-json.js';
import { directTokenizer, topicsJson } from './fixture-tokenizer.js';
import { recordedOf } from './recorded-tokenizers.js';

const bpe = recordedOf('llama').tokenizer;
const metaspace = recordedOf('mt5').tokenizer;
const token = { id: 5, content: 'x', special: true };
const unigram = { type: 'Unigram', unk_id: 0, vocab: [['<unk>', 0]] };

const split = (fields: object) => topicsJson({ pre_tokenizer: { type: 'Split', invert: false, ...fields } });
const template = (fields: object) =>
  topicsJson({
    post_processor: {
      type: 'TemplateProcessing',
      special_tokens: { '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] } },
      single: [{ Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      ...fields,
    },
  });

const REFUSED: readonly (readonly [string, TokenizerJson, RegExp])[] = [
  ['a normalizer', topicsJson({ normalizer: { type: 'Rot13' } }), /normalizer Rot13/],
  [
    'a normalizer in a sequence',
    topicsJson({ normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Rot13' }] } }),
    /normalizer Rot13/,
  ],
  [
    'a charsmap of null',
    topicsJson({ normalizer: { type: 'Precompiled', precompiled_charsmap: null } }),
    /Precompiled/,
  ],
  [
    'a charsmap that is cut off',
    topicsJson({ normalizer: { type: 'Precompiled', precompiled_charsmap: 'ALQCAACE' } }),
    /normalizer Precompiled.*trie/,
  ],
  [
    'an empty pattern of Replace',
    topicsJson({ normalizer: { type: 'Replace', pattern: { String: '' }, content: 'x' } }),
    /normalizer Replace/,
  ],
  [
    'a pre-tokenizer',
    topicsJson({ pre_tokenizer: { type: 'UnicodeScripts' } }),
    /pre-tokenizer UnicodeScripts/,
  ],
  ['a behaviour', split({ pattern: { String: 'x' }, behavior: 'removed' }), /pre-tokenizer Split.*"removed"/],
  ['an empty pattern', split({ pattern: { String: '' }, behavior: 'Isolated' }), /pre-tokenizer Split/],
  [
    'a broken expression',
    split({ pattern: { Regex: '[a' }, behavior: 'Isolated' }),
    /pre-tokenizer Split.*"\[a"/,
  ],
  [
    'a bound of words',
    split({ pattern: { Regex: '\\bx' }, behavior: 'Isolated' }),
    /Split.*bx".*\\b has other bounds/,
  ],
  ['a POSIX word', split({ pattern: { Regex: '[[:word:]]' }, behavior: 'Isolated' }), /Split.*word/],
  [
    'a recursion',
    split({ pattern: { Regex: '(a\\g<1>?b)(?~c)(?{x})' }, behavior: 'Isolated' }),
    /pre-tokenizer Split/,
  ],
  [
    'a prepend_scheme',
    topicsJson({ pre_tokenizer: { type: 'Metaspace', replacement: '_', prepend_scheme: 'last' } }),
    /Metaspace.*"last"/,
  ],
  [
    'two contrary settings of Metaspace',
    topicsJson({ pre_tokenizer: { type: 'Metaspace', replacement: '_', add_prefix_space: false } }),
    /Metaspace.*contradicts/,
  ],
  [
    'the start of a text that a normalizer may remove',
    { ...metaspace, normalizer: { type: 'Strip', strip_left: true, strip_right: false } },
    /Metaspace.*first.*start/,
  ],
  [
    'the start of a text that another pre-tokenizer has changed',
    topicsJson({
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'ByteLevel', add_prefix_space: true },
          { type: 'Metaspace', replacement: '_', prepend_scheme: 'first' },
        ],
      },
    }),
    /Metaspace.*first.*ByteLevel hides/,
  ],
  [
    'a Prepend of nothing',
    topicsJson({ normalizer: { type: 'Prepend', prepend: '' } }),
    /normalizer Prepend/,
  ],
  ['a model', topicsJson({ model: { type: 'Hash' } }), /model Hash/],
  ['no model', { normalizer: null }, /without a model/],
  [
    'a WordPiece without its unknown token',
    topicsJson({ model: { ...topicsJson().model, unk_token: '<oov>' } }),
    /WordPiece.*unk_token "<oov>"/,
  ],
  ...[Number.NaN, 0, -1, 2.5, '100', [100]].map(
    (limit) =>
      [
        `a WordPiece with the limit ${JSON.stringify(limit)}`,
        topicsJson({ model: { ...topicsJson().model, max_input_chars_per_word: limit } }),
        /WordPiece.*max_input_chars_per_word is/,
      ] as const,
  ),
  ['a random BPE', { ...bpe, model: { ...bpe.model, dropout: 0.1 } }, /BPE.*dropout/],
  [
    'a prefix of BPE',
    { ...bpe, model: { ...bpe.model, continuing_subword_prefix: '##' } },
    /BPE.*prefix "##"/,
  ],
  ['a merge of nothing', { ...bpe, model: { ...bpe.model, merges: [['☃', 'a']] } }, /BPE.*merge.*☃/],
  ['a merge of bytes', { ...bpe, model: { ...bpe.model, merges: [['<0x41>', 'a']] } }, /BPE.*merge/],
  [
    'some bytes',
    { ...bpe, added_tokens: [], model: { ...bpe.model, merges: [], vocab: { '<unk>': 0, '<0x41>': 1 } } },
    /BPE.*1 of 256 byte tokens/,
  ],
  [
    'a Unigram that knows no unknown',
    topicsJson({ model: { ...unigram, unk_id: null } }),
    /Unigram.*unk_id is null/,
  ],
  [
    'a token of another id',
    topicsJson({ added_tokens: [{ ...token, id: 99_999 }] }),
    /added token "x".*99999/,
  ],
  [
    'two tokens that read alike',
    topicsJson({
      added_tokens: ['Zq', 'zQ'].map((content, index) => ({
        id: Object.keys(topicsJson().model?.vocab as object).length + index,
        content,
        normalized: true,
      })),
    }),
    /added token "zq".*alike/,
  ],
  [
    'a token of which nothing is left',
    topicsJson({
      added_tokens: [
        { id: Object.keys(topicsJson().model?.vocab as object).length, content: '\u200b', normalized: true },
      ],
    }),
    /added token.*nothing is left/,
  ],
  ['a post-processor', topicsJson({ post_processor: { type: 'Sandwich' } }), /post-processor Sandwich/],
  [
    'two of them that add tokens',
    topicsJson({
      post_processor: {
        type: 'Sequence',
        processors: [1, 2].map(() => ({ type: 'BertProcessing', cls: ['[CLS]', 2], sep: ['[SEP]', 3] })),
      },
    }),
    /post-processor Sequence/,
  ],
  [
    'a template of the second text first',
    template({ pair: template({}).post_processor?.single }),
    /its pair/,
  ],
  [
    'a template of a token that it does not list',
    template({ single: [{ SpecialToken: { id: '?', type_id: 0 } }] }),
    /\?/,
  ],
  ['a third token type', template({ single: [{ Sequence: { id: 'A', type_id: 2 } }] }), /token types/],
];

describe('a tokenizer that would be read wrongly', () => {
  for (const [what, json, message] of REFUSED) {
    it(`is refused, and the part named: ${what}`, () => {
      assert.throws(
        () => directTokenizer(512, json),
        (error) => {
          assert.ok(error instanceof Error);
          assert.match(error.message, /^tokenizer\.json: .* is not supported: /);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});
