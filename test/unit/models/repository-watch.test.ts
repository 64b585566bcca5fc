import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findModels } from '../../../src/models/repository.js';
import { RepositoryWatch, repositoryIdentity } from '../../../src/models/repository-watch.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

/** A watch whose looks are made by hand. */
async function watched(first: string) {
  let seen = first;
  const told: string[] = [];
  const watch = new RepositoryWatch({
    look: async () => seen,
    onChange: async () => void told.push(seen),
    intervalMs: 2 ** 30,
  });
  await watch.open();
  const look = async (now: string) => {
    seen = now;
    await watch.look();
  };
  return { watch, told, look };
}

describe('a watch of the models folder', () => {
  it('tells a change once it has been the same at two looks, and once alone', async () => {
    const { told, look } = await watched('one');
    for (const now of ['one', 'half of two', 'two']) await look(now);
    assert.deepEqual(told, []);
    for (const now of ['two', 'two', 'two']) await look(now);
    assert.deepEqual(told, ['two']);
    for (const now of ['three', 'two', 'two']) await look(now);
    assert.deepEqual(told, ['two'], 'what has come and gone is no change');
    for (const now of ['one', 'one']) await look(now);
    assert.deepEqual(told, ['two', 'one']);
  });

  it('takes what changed between its opening and its first look for a change', async () => {
    const { told, look } = await watched('one');
    await look('two');
    await look('two');
    assert.deepEqual(told, ['two']);
  });

  it('tells nothing any more once it is closed', async () => {
    const { watch, told, look } = await watched('one');
    await look('two');
    watch.close();
    watch.start();
    await look('two');
    assert.deepEqual(told, []);
  });
});

describe('what a models folder looks like', () => {
  it('changes with a version, with a file in the highest one, and with what is wrong', async (t) => {
    const folder = temporaryFolder(t);
    const looks = [await repositoryIdentity(() => findModels(folder))];
    const after = async (change: () => void) => {
      change();
      looks.push(await repositoryIdentity(() => findModels(folder)));
    };
    await after(() => mkdirSync(join(folder, 'tone')));
    await after(() => mkdirSync(join(folder, 'tone/1')));
    await after(() => writeFileSync(join(folder, 'tone/1/config.json'), '{}'));
    await after(() => mkdirSync(join(folder, 'tone/2')));
    await after(() => rmSync(folder, { recursive: true }));
    assert.equal(new Set(looks).size, looks.length);
    mkdirSync(folder);
  });
});
