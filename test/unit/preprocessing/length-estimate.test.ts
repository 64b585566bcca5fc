import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LengthEstimate } from '../../../src/preprocessing/length-estimate.js';

const textOf = (chars: number) => ({ text: 'x'.repeat(chars) });

test('An estimate follows what texts have for their characters', () => {
  const lengths = new LengthEstimate(512);
  assert.equal(lengths.tokens(textOf(100)), 25);
  for (let i = 0; i < 300; i++) lengths.observe(textOf(100), 100);
  assert.ok(Math.abs(lengths.tokens(textOf(100)) - 100) <= 1, 'a language of one character per token');
});

test('Texts that are nearly all white space, or nearly all symbols, do not decide for the others', () => {
  const lengths = new LengthEstimate(512);
  lengths.observe(textOf(32_768), 3);
  const afterBlanks = lengths.tokens(textOf(100));
  assert.ok(afterBlanks >= 20, `one blank text: ${afterBlanks} tokens for 100 characters`);
  for (let i = 0; i < 300; i++) lengths.observe(textOf(32_768), 3);
  assert.ok(lengths.tokens(textOf(100)) >= 6, 'even where all texts are blank');
  for (let i = 0; i < 300; i++) lengths.observe(textOf(1), 100);
  assert.ok(lengths.tokens(textOf(100)) <= 401, 'even where all texts are symbols');
});

test('An estimate is at least 1, and at most what is left of a longer text', () => {
  const lengths = new LengthEstimate(64);
  assert.deepEqual([lengths.tokens(textOf(0)), lengths.tokens(textOf(10_000))], [1, 64]);
});
