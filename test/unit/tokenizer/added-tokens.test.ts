import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Pipeline } from '../../../src/tokenizer/pipeline.js';
import type { AddedTokenJson } from '../../../src/tokenizer/tokenizer-json.js';
import { recordedOf } from './recorded-tokenizers.js';

it('an added token of white space that takes its neighbours along is found once, as by the Rust library', () => {
  const { tokenizer } = recordedOf('bpe-fused');
  const space = { id: 1200, content: ' ', lstrip: true, rstrip: true, normalized: false };
  const pipeline = new Pipeline({ ...tokenizer, added_tokens: [space] });
  assert.deepEqual(pipeline.idsOf(' x y  \n\n-'), [1200, 220, 1200, 360, 1200, 176, 10]);
});

it('added tokens that take white space along walk through it once', { timeout: 60_000 }, () => {
  const { tokenizer } = recordedOf('bpe-fused');
  const token = (fields: Pick<AddedTokenJson, 'id' | 'content' | 'rstrip'>) => ({
    lstrip: true,
    rstrip: true,
    normalized: false,
    ...fields,
  });
  const pipeline = (added_tokens: AddedTokenJson[]) => new Pipeline({ ...tokenizer, added_tokens });
  const spaces = ' '.repeat(300_000);
  assert.equal(pipeline([token({ id: 1200, content: '  ', rstrip: false })]).idsOf(spaces).length, 150_000);
  assert.deepEqual(pipeline([token({ id: 1200, content: '  ' })]).idsOf(spaces), [1200]);
  const both = [token({ id: 1200, content: '\n' }), token({ id: 1201, content: ' ', rstrip: false })];
  assert.deepEqual(pipeline(both).idsOf('\n '.repeat(150_000)).length, 150_000);
});
