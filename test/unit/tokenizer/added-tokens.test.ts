import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Pipeline } from '../../../src/tokenizer/pipeline.js';
import { recordedOf } from './recorded-tokenizers.js';

it('an added token of white space that takes its neighbours along is found once, as by the Rust library', () => {
  const { tokenizer } = recordedOf('bpe-fused');
  const space = { id: 1200, content: ' ', lstrip: true, rstrip: true, normalized: false };
  const pipeline = new Pipeline({ ...tokenizer, added_tokens: [space] });
  assert.deepEqual(pipeline.idsOf(' x y  \n\n-'), [1200, 220, 1200, 360, 1200, 176, 10]);
});
