import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readTokenizer } from '../../../src/tokenizer/read-tokenizer.js';
import { readTokenizerFiles } from '../../../src/tokenizer/tokenizer-files.js';
import { encoded, sourceOf } from './fixture-tokenizer.js';
import { recordedOf } from './recorded-tokenizers.js';

const { tokenizer: uncased } = recordedOf('bert-uncased');

/** The ids of a text, for a folder with these files (JSON, or their text) beside an uncased tokenizer.json. */
async function idsWith(files: Readonly<Record<string, object | string>>, text: string): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-tokenizer-'));
  try {
    for (const [name, content] of Object.entries({ 'tokenizer.json': uncased, ...files })) {
      writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
    }
    return Array.from(
      encoded(readTokenizer(await readTokenizerFiles(sourceOf(folder, 64))), { text }, 'end').ids,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the files of a tokenizer', () => {
  const cased = { do_lower_case: false };

  it('are read together: a class in tokenizer_config.json or config.json obeys the settings', async () => {
    const lowered = await idsWith({}, 'the');
    assert.deepEqual(await idsWith({}, 'THE'), lowered);
    for (const files of [
      { 'tokenizer_config.json': { tokenizer_class: 'BertTokenizer', ...cased } },
      { 'tokenizer_config.json': cased, 'config.json': { tokenizer_class: 'BertTokenizerFast' } },
      { 'tokenizer_config.json': cased, 'config.json': { model_type: 'bert' } },
    ]) {
      assert.notDeepEqual(await idsWith(files, 'THE'), lowered);
      assert.deepEqual(await idsWith(files, 'the'), lowered);
    }
  });

  it('leave it at tokenizer.json where no class is known, or a generic one is', async () => {
    const lowered = await idsWith({}, 'the');
    for (const files of [
      { 'tokenizer_config.json': cased },
      { 'tokenizer_config.json': { tokenizer_class: 'PreTrainedTokenizerFast', ...cased } },
      { 'tokenizer_config.json': cased, 'config.json': { model_type: 'unheard-of' } },
      {
        'tokenizer_config.json': { tokenizer_class: 'BertTokenizer', ...cased },
        'config.json': { model_type: 'modernbert' },
      },
    ]) {
      assert.deepEqual(await idsWith(files, 'THE'), lowered);
    }
  });

  it('are named where one is no JSON, or no object', async () => {
    await assert.rejects(idsWith({ 'tokenizer.json': [] }, ''), {
      message: 'tokenizer.json: it holds [], not an object',
    });
    for (const name of ['tokenizer_config.json', 'config.json']) {
      await assert.rejects(idsWith({ [name]: ['x'] }, ''), {
        message: `${name}: it holds ["x"], not an object`,
      });
      await assert.rejects(idsWith({ [name]: '{"half": ' }, ''), {
        message: new RegExp(`^${name}: not valid JSON: `),
      });
    }
  });
});
