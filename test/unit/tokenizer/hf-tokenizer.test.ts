import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  directTokenizer,
  encoded,
  GOLDEN_FOLDERS,
  goldenOf,
  inputOf,
  sourceOf,
  topicsJson,
} from './fixture-tokenizer.js';

const CLS = 2;
const SEP = 3;
const WORDS = 'match goal team coach vote law soup'.split(' ');
const plain = directTokenizer(512);
const idsOf = (text: string) => Array.from(encoded(plain, { text }, 'end').ids).slice(1, -1);
/** A text of `count` words that are one token each. */
const text = (count: number) =>
  Array.from({ length: count }, (_, index) => WORDS[index % WORDS.length]).join(' ');

describe('token ids', () => {
  for (const folder of GOLDEN_FOLDERS) {
    it(`are those of the Rust tokenizers: ${folder.split('/').at(-2)}`, () => {
      const { maxTokens, entries } = goldenOf(folder);
      const source = sourceOf(folder, maxTokens);
      const tokenizer = directTokenizer(
        maxTokens,
        JSON.parse(readFileSync(source.tokenizerJsonPath, 'utf8')),
        JSON.parse(readFileSync(source.tokenizerConfigPath, 'utf8')),
      );
      assert.ok(entries.length > 0);
      for (const entry of entries) {
        const { ids, truncated } = encoded(tokenizer, inputOf(entry), 'end');
        assert.deepEqual(Array.from(ids), entry.token_ids, entry.text);
        assert.equal(truncated, entry.truncated, entry.text);
      }
    });
  }
});

describe('truncation of a single text', () => {
  for (const limit of [3, 4, 10]) {
    it(`to ${limit} tokens keeps what fits exactly, and cuts one token more at the side asked for`, () => {
      const tokenizer = directTokenizer(limit);
      const room = limit - 2;
      for (const mode of ['end', 'start', 'reject'] as const) {
        const fitting = encoded(tokenizer, { text: text(room) }, mode);
        assert.deepEqual(Array.from(fitting.ids), [CLS, ...idsOf(text(room)), SEP]);
        assert.equal(fitting.truncated, false);
      }
      const longer = idsOf(text(room + 1));
      const fromEnd = encoded(tokenizer, { text: text(room + 1) }, 'end');
      assert.deepEqual(Array.from(fromEnd.ids), [CLS, ...longer.slice(0, -1), SEP]);
      const fromStart = encoded(tokenizer, { text: text(room + 1) }, 'start');
      assert.deepEqual(Array.from(fromStart.ids), [CLS, ...longer.slice(1), SEP]);
      assert.ok(fromEnd.truncated && fromStart.truncated);
      assert.deepEqual(tokenizer.encode({ text: text(room + 1) }, 'reject'), {
        kind: 'too_long',
        tokens: limit + 1,
      });
    });
  }

  it('leaves the special tokens alone where there is room for nothing else', () => {
    const { ids, truncated } = encoded(directTokenizer(3), { text: '', textPair: 'soup' }, 'end');
    assert.deepEqual([Array.from(ids), truncated], [[CLS, SEP, SEP], true]);
  });
});

describe('truncation of a pair', () => {
  const pairOf = (first: number, second: number) => ({ text: text(first), textPair: text(second) });

  it('cuts nothing up to the limit, and says how long the pair is beyond it', () => {
    const tokenizer = directTokenizer(13);
    const fitting = encoded(tokenizer, pairOf(4, 6), 'reject');
    assert.deepEqual(Array.from(fitting.ids), [CLS, ...idsOf(text(4)), SEP, ...idsOf(text(6)), SEP]);
    assert.deepEqual([fitting.pairStart, fitting.truncated], [6, false]);
    assert.deepEqual(tokenizer.encode(pairOf(5, 6), 'reject'), { kind: 'too_long', tokens: 14 });
  });

  it('takes tokens from the longer text first, then from both', () => {
    const tokenizer = directTokenizer(13);
    const kept = (first: number, second: number, mode: 'end' | 'start' = 'end') => {
      const { ids, pairStart } = encoded(tokenizer, pairOf(first, second), mode);
      assert.equal(ids.length, 13);
      return [pairStart - 2, ids.length - pairStart - 1];
    };
    assert.deepEqual(kept(20, 2), [8, 2]);
    assert.deepEqual(kept(2, 20), [2, 8]);
    assert.deepEqual(kept(20, 20), [5, 5]);
    assert.deepEqual(kept(20, 20, 'start'), [5, 5]);
    assert.deepEqual(kept(5, 6), [5, 5]);
  });

  it('cuts each text at the side asked for', () => {
    const tokenizer = directTokenizer(9);
    const ids = idsOf(text(7));
    const end = encoded(tokenizer, pairOf(7, 7), 'end');
    assert.deepEqual(Array.from(end.ids), [CLS, ...ids.slice(0, 3), SEP, ...ids.slice(0, 3), SEP]);
    const start = encoded(tokenizer, pairOf(7, 7), 'start');
    assert.deepEqual(Array.from(start.ids), [CLS, ...ids.slice(-3), SEP, ...ids.slice(-3), SEP]);
  });

  it('keeps an empty second text a pair', () => {
    const { ids, pairStart } = encoded(plain, { text: 'soup', textPair: '' }, 'end');
    assert.deepEqual([Array.from(ids), pairStart], [[CLS, ...idsOf('soup'), SEP, SEP], 3]);
  });
});

describe('other layouts of special tokens', () => {
  const specials = {
    bert: { type: 'BertProcessing', cls: ['[CLS]', CLS], sep: ['[SEP]', SEP] },
    roberta: {
      type: 'RobertaProcessing',
      cls: ['[CLS]', CLS],
      sep: ['[SEP]', SEP],
      trim_offsets: true,
      add_prefix_space: false,
    },
  };

  it('of BERT as an older tokenizer.json writes it', () => {
    const tokenizer = directTokenizer(512, topicsJson({ post_processor: specials.bert }));
    const { ids, pairStart } = encoded(tokenizer, { text: 'goal', textPair: 'law' }, 'end');
    assert.deepEqual(Array.from(ids), [CLS, ...idsOf('goal'), SEP, ...idsOf('law'), SEP]);
    assert.equal(pairStart, 3);
  });

  it('of RoBERTa: two separators in the middle, and one token type', () => {
    const tokenizer = directTokenizer(6, topicsJson({ post_processor: specials.roberta }));
    const { ids, pairStart } = encoded(tokenizer, { text: text(9), textPair: text(9) }, 'end');
    assert.deepEqual(Array.from(ids), [CLS, ...idsOf(text(1)), SEP, SEP, ...idsOf(text(1)), SEP]);
    assert.equal(pairStart, ids.length);
  });

  it('of none at all', () => {
    const tokenizer = directTokenizer(2, topicsJson({ post_processor: null }));
    assert.deepEqual(Array.from(encoded(tokenizer, { text: text(3) }, 'start').ids), idsOf(text(3)).slice(1));
    assert.deepEqual(encoded(tokenizer, { text: '' }, 'end').ids, new Int32Array(0));
  });

  it('refuses a limit that they alone exceed', () => {
    assert.throws(() => directTokenizer(2), /a limit of 2 tokens is too small: special tokens alone take 3/);
  });
});

describe('the padding id', () => {
  it('is that of the token that the configuration names, else that of [PAD], else 0', () => {
    assert.equal(directTokenizer(8, topicsJson(), { pad_token: '[MASK]' }).padId, 4);
    assert.equal(directTokenizer(8, topicsJson(), { pad_token: { content: '[UNK]' } }).padId, 1);
    assert.equal(directTokenizer(8).padId, 0);
  });
});

describe('the short cut for plain ASCII', () => {
  const around = [
    'The match',
    ' ',
    '\t\n',
    '[SEP]',
    '[',
    ']',
    "don't",
    '3.14',
    '\0',
    '\x7f',
    'Café',
    '日本',
    '😀',
    '\ud800',
  ];

  it('gives what the library gives, for any mixture of texts', () => {
    // A post-processor of the same kind, but a pre-tokenizer under another name, which the short cut does not know.
    const json = topicsJson();
    const library = directTokenizer(512, {
      ...json,
      pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'BertPreTokenizer' }] },
    });
    const anyText = fc
      .array(fc.oneof(fc.constantFrom(...around, ...WORDS), fc.string(), fc.string({ unit: 'binary' })), {
        maxLength: 12,
      })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(anyText, (sample) => {
        assert.deepEqual(
          encoded(plain, { text: sample }, 'end').ids,
          encoded(library, { text: sample }, 'end').ids,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('forgets old words rather than growing without end', () => {
    for (let index = 0; index < 40_000; index++) idsOf(`w${index}`);
    assert.deepEqual(idsOf('match w1'), [...idsOf('match'), ...idsOf('w1')]);
  });
});
