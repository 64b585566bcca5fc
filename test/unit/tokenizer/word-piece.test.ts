import assert from 'node:assert/strict';
import { it } from 'node:test';
import { WordPiece } from '../../../src/tokenizer/models/word-piece.js';

it('WordPiece reads a word of any length that it allows, in a time that grows with it', {
  timeout: 60_000,
}, () => {
  const vocab = { '[UNK]': 0, a: 1, '##a': 2, '##aaab': 3 };
  const max_input_chars_per_word = 1_000_000;
  const model = new WordPiece({ type: 'WordPiece', vocab, unk_token: '[UNK]', max_input_chars_per_word });
  const ids: number[] = [];
  model.tokenize(`${'a'.repeat(200_000)}b`, ids);
  assert.deepEqual([ids.length, ids[0], ids[1], ids.at(-1)], [199_998, 1, 2, 3]);
  model.tokenize(`${'a'.repeat(200_000)}c`, ids);
  assert.deepEqual([ids.length, ids.at(-1)], [199_999, 0]);
});
