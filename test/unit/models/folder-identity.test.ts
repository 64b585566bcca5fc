import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { folderIdentity } from '../../../src/models/folder-identity.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

function version(t: TestContext): string {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'onnx'));
  writeFileSync(join(folder, 'config.json'), '{}');
  writeFileSync(join(folder, 'onnx/model.onnx'), 'weights');
  return folder;
}

describe('what a folder looks like', () => {
  it('stays the same while nobody touches it, hidden files aside', async (t) => {
    const folder = version(t);
    const before = await folderIdentity(folder);
    writeFileSync(join(folder, '.DS_Store'), 'x');
    assert.equal(await folderIdentity(folder), before);
  });

  const changes: Readonly<Record<string, (folder: string) => void>> = {
    'a file that is written again': (folder) => writeFileSync(join(folder, 'onnx/model.onnx'), 'others!'),
    'a file that is touched': (folder) => utimesSync(join(folder, 'config.json'), new Date(0), new Date(0)),
    'a new file': (folder) => writeFileSync(join(folder, 'golden.json'), '{}'),
    'a file that is gone': (folder) => rmSync(join(folder, 'config.json')),
    'a file that has another name': (folder) =>
      renameSync(join(folder, 'onnx/model.onnx'), join(folder, 'onnx/model_fp16.onnx')),
    'a link to another file': (folder) => {
      writeFileSync(join(folder, '.other'), '{}');
      rmSync(join(folder, 'config.json'));
      symlinkSync('.other', join(folder, 'config.json'));
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`changes with ${what}`, async (t) => {
      const folder = version(t);
      const before = await folderIdentity(folder);
      change(folder);
      assert.notEqual(await folderIdentity(folder), before);
    });
  }

  it('cannot be told of one that is not there, that ends nowhere, or that is its own part', async (t) => {
    const folder = version(t);
    await assert.rejects(folderIdentity(join(folder, '2')), {
      name: 'ModelLoadError',
      message: /cannot be read/,
    });
    symlinkSync('nowhere', join(folder, 'golden.json'));
    await assert.rejects(folderIdentity(folder), /golden\.json: cannot be read/);
    rmSync(join(folder, 'golden.json'));
    symlinkSync('.', join(folder, 'again'));
    await assert.rejects(folderIdentity(folder), /holds folders more than 4 deep/);
  });

  it('cannot be told of one with more files than any version has', async (t) => {
    const folder = version(t);
    for (let file = 0; file < 1_000; file++) writeFileSync(join(folder, `${file}`), '');
    await assert.rejects(folderIdentity(folder), /is one of more than 1000 files/);
  });
});
