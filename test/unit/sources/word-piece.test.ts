import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wordPieceTokenizer } from '../../../src/sources/word-piece.js';

const VOCABULARY = '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##c\nüber\n中\n';

const added = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});
const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
const text = (id: string, type_id: number) => ({ Sequence: { id, type_id } });

describe('a tokenizer made of a vocab.txt', () => {
  it("is what BertTokenizerFast of Transformers 5.23 makes of it, for all of BERT's kin", () => {
    const expected = {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((token, id) => added(id, token)),
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [special('[CLS]', 0), text('A', 0), special('[SEP]', 0)],
        pair: [special('[CLS]', 0), text('A', 0), special('[SEP]', 0), text('B', 1), special('[SEP]', 1)],
        special_tokens: {
          '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
          '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
        },
      },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: {
          '[PAD]': 0,
          '[UNK]': 1,
          '[CLS]': 2,
          '[SEP]': 3,
          '[MASK]': 4,
          a: 5,
          '##c': 6,
          über: 7,
          中: 8,
        },
      },
    };
    for (const model_type of ['bert', 'distilbert', 'electra']) {
      assert.deepEqual(wordPieceTokenizer('x', VOCABULARY, { model_type }), expected);
    }
    // Written on Windows, and without an end of the last line.
    assert.deepEqual(
      wordPieceTokenizer('x', VOCABULARY.trimEnd().replaceAll('\n', '\r\n'), { model_type: 'bert' }),
      expected,
    );
  });

  it('is refused for other models, and without the special tokens', () => {
    assert.throws(
      () => wordPieceTokenizer('x', VOCABULARY, { model_type: 'mpnet' }),
      /a model of type mpnet splits words/,
    );
    assert.throws(() => wordPieceTokenizer('x', VOCABULARY, {}), /a model of no known type splits words/);
    assert.throws(
      () => wordPieceTokenizer('x', 'a\nb\n', { model_type: 'bert' }),
      /its vocab\.txt lacks \[PAD\]/,
    );
  });
});
