import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findModels } from '../../../src/models/repository.js';
import { repositoryIdentity } from '../../../src/models/repository-identity.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

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
