import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { tokenizerFingerprint } from '../../../src/tokenizer/fingerprint.js';

describe('the fingerprint of the code that tokenises', () => {
  it('names every version that has a say in tokens', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    const [revision, ...versions] = tokenizerFingerprint().split(' ');
    assert.match(revision ?? '', /^\d+$/);
    assert.deepEqual(versions, [
      `@huggingface/tokenizers@${dependencies['@huggingface/tokenizers']}`,
      `oniguruma-to-es@${dependencies['oniguruma-to-es']}`,
      `unicode@${process.versions.unicode}`,
    ]);
  });
});
