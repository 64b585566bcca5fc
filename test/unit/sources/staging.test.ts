import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Staging } from '../../../src/sources/staging.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

async function staged(modelsDir: string, content = 'x'): Promise<Staging> {
  const staging = await Staging.open(modelsDir);
  const folder = staging.folder('topics');
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  writeFileSync(join(folder, 'onnx/model.onnx'), content);
  return staging;
}

/** No process has this number: it is above the largest that Linux gives. */
const NOBODY = 4_194_305;
const host = hostname().replaceAll(/[^A-Za-z0-9.-]/g, '_');

describe('a version that is put together', () => {
  it('is hidden until it is published, as the next one of its model', async (t) => {
    const models = join(temporaryFolder(t), 'models');
    for (const version of ['1', '2']) {
      const staging = await staged(models);
      assert.equal(existsSync(join(models, 'topics', version)), false);
      assert.equal(await staging.publish('topics'), join(models, 'topics', version));
      await staging.discard();
      assert.deepEqual(readdirSync(models), ['topics']);
      assert.ok(existsSync(join(models, 'topics', version, 'onnx/model.onnx')));
    }
  });

  it('gets a version of its own though another one is added at the same time', async (t) => {
    const models = temporaryFolder(t);
    const stagings = [await staged(models, 'a'), await staged(models, 'b'), await staged(models, 'c')];
    const published = await Promise.all(stagings.map((staging) => staging.publish('topics')));
    assert.equal(new Set(published).size, 3);
    assert.deepEqual(readdirSync(join(models, 'topics')).sort(), ['1', '2', '3']);
  });

  it('joins a folder that holds something else already', async (t) => {
    const models = temporaryFolder(t);
    mkdirSync(join(models, 'topics/notes'), { recursive: true });
    const staging = await staged(models);
    assert.equal(await staging.publish('topics'), join(models, 'topics', '1'));
    assert.deepEqual(readdirSync(join(models, 'topics')).sort(), ['1', 'notes']);
  });

  it('leaves nothing behind when it is discarded', async (t) => {
    const models = temporaryFolder(t);
    const staging = await staged(models);
    await staging.discard();
    assert.deepEqual(readdirSync(models), []);
  });

  it('removes what ended processes left, and what another machine left a day ago', async (t) => {
    const models = temporaryFolder(t);
    const kept = ['.adding-elsewhere-1-00000000', `.adding-${host}-${process.ppid}-00000001`, '.notes'];
    const removed = [
      `.adding-${host}-${NOBODY}-00000002`,
      `.adding-${host}-${process.pid}-00000003`,
      '.adding-elsewhere-1-00000004',
    ];
    for (const name of [...kept, ...removed]) mkdirSync(join(models, name));
    utimesSync(join(models, '.adding-elsewhere-1-00000004'), 0, 0);
    const staging = await Staging.open(models);
    const other = await Staging.open(models);
    const names = readdirSync(models);
    assert.deepEqual(names.filter((name) => [...kept, ...removed].includes(name)).sort(), [...kept].sort());
    assert.equal(names.length, kept.length + 2);
    await staging.discard();
    await other.discard();
  });
});
