import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BYTE_TOKENS } from '../../../src/tokenizer/models/model.js';
import { Unigram } from '../../../src/tokenizer/models/unigram.js';

it('Unigram gives the bytes of an unknown text of any length', () => {
  const vocab = ['<unk>', ...BYTE_TOKENS].map((token) => [token, -1]);
  const model = new Unigram({ type: 'Unigram', vocab, unk_id: 0, byte_fallback: true });
  const ids: number[] = [];
  model.tokenize('é'.repeat(200_000), ids);
  assert.equal(ids.length, 400_000);
  assert.deepEqual([ids[0], ids[1], ids.at(-1)], [1 + 0xc3, 1 + 0xa9, 1 + 0xa9]);
});
