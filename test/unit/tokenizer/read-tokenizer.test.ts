import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readTokenizer } from '../../../src/tokenizer/read-tokenizer.js';
import { encoded, sourceOf } from './fixture-tokenizer.js';
import { recordedOf } from './recorded-tokenizers.js';

const { tokenizer: uncased } = recordedOf('bert-uncased');

/** The ids of a text in capitals, for a folder with these files beside an uncased tokenizer.json. */
function idsWith(files: Readonly<Record<string, object>>, text: string): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-tokenizer-'));
  try {
    for (const [name, content] of Object.entries({ 'tokenizer.json': uncased, ...files })) {
      writeFileSync(join(folder, name), JSON.stringify(content));
    }
    return Array.from(encoded(readTokenizer(sourceOf(folder, 64)), { text }, 'end').ids);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the files of a tokenizer', () => {
  const lowered = idsWith({}, 'the');
  const cased = { do_lower_case: false };

  it('are read together: a class in tokenizer_config.json or config.json obeys the settings', () => {
    assert.deepEqual(idsWith({}, 'THE'), lowered);
    for (const files of [
      { 'tokenizer_config.json': { tokenizer_class: 'BertTokenizer', ...cased } },
      { 'tokenizer_config.json': cased, 'config.json': { tokenizer_class: 'BertTokenizerFast' } },
      { 'tokenizer_config.json': cased, 'config.json': { model_type: 'bert' } },
    ]) {
      assert.notDeepEqual(idsWith(files, 'THE'), lowered);
      assert.deepEqual(idsWith(files, 'the'), lowered);
    }
  });

  it('leave it at tokenizer.json where no class is known, or a generic one is', () => {
    for (const files of [
      { 'tokenizer_config.json': cased },
      { 'tokenizer_config.json': { tokenizer_class: 'PreTrainedTokenizerFast', ...cased } },
      { 'tokenizer_config.json': cased, 'config.json': { model_type: 'unheard-of' } },
      {
        'tokenizer_config.json': { tokenizer_class: 'BertTokenizer', ...cased },
        'config.json': { model_type: 'modernbert' },
      },
    ]) {
      assert.deepEqual(idsWith(files, 'THE'), lowered);
    }
  });
});
