import assert from 'node:assert/strict';
import { copyFileSync, linkSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { WeightFile } from '../../../src/models/weight-file.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const CHANGED = /weights: has changed since the model was loaded: reload the models/;

describe('a file of weights', () => {
  it('is the same until its content changes', async (t) => {
    const path = join(temporaryFolder(t), 'weights');
    writeFileSync(path, 'one');
    const file = await WeightFile.record(path);
    await file.ensureUnchanged();
    // A backup by hard links changes nothing but the time of the inode.
    linkSync(path, `${path}-backup`);
    await file.ensureUnchanged();
    await file.digest();
    writeFileSync(path, 'two');
    await assert.rejects(file.ensureUnchanged(), CHANGED);
    rmSync(path);
    await assert.rejects(file.ensureUnchanged(), /weights: cannot be read/);
  });

  it('is another one where it was replaced by one of the same size and time', async (t) => {
    const path = join(temporaryFolder(t), 'weights');
    writeFileSync(path, 'one');
    const file = await WeightFile.record(path);
    await file.digest();
    const { atime, mtime } = statSync(path);
    writeFileSync(`${path}-new`, 'two');
    utimesSync(`${path}-new`, atime, mtime);
    renameSync(`${path}-new`, path);
    await assert.rejects(file.ensureUnchanged(), CHANGED);
  });

  it('may be copied anew: its content decides, once that is known', async (t) => {
    const path = join(temporaryFolder(t), 'weights');
    writeFileSync(path, 'one');
    const file = await WeightFile.record(path);
    const anew = () => {
      copyFileSync(path, `${path}-copy`);
      renameSync(`${path}-copy`, path);
    };
    const known = await WeightFile.record(path);
    await known.digest();
    anew();
    await known.ensureUnchanged();
    await known.ensureUnchanged();
    await assert.rejects(file.ensureUnchanged(), CHANGED);
    await assert.rejects(file.digest(), CHANGED);
  });
});
