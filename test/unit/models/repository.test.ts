import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { findModels, requireModel } from '../../../src/models/repository.js';

describe('findModels', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'verdict-repository-'));
  });

  afterEach(() => rm(directory, { recursive: true }));

  const add = (...parts: string[]) => mkdir(join(directory, ...parts), { recursive: true });

  it('finds the highest version of each model, by number and not by spelling', async () => {
    await add('spam', '9');
    await add('spam', '10');
    await add('intent', '2');
    await add('intent', 'notes');
    const found = await findModels(directory);
    assert.deepEqual(
      found.map(({ name, version }) => [name, version]),
      [
        ['intent', '2'],
        ['spam', '10'],
      ],
    );
    assert.equal(found[1]?.directory, join(directory, 'spam', '10'));
  });

  it('passes over hidden folders', async () => {
    await add('.cache', '1');
    await add('spam', '1');
    assert.equal((await findModels(directory)).length, 1);
  });

  it('refuses a name that no request could carry', async () => {
    await add('Spam Filter', '1');
    await assert.rejects(findModels(directory), /a model's name must match/);
  });

  it('refuses a model without a version, an empty folder and one that is not there', async () => {
    await assert.rejects(findModels(directory), /holds no model/);
    await add('spam', 'v1');
    await assert.rejects(findModels(directory), /spam: holds no version/);
    await assert.rejects(findModels(join(directory, 'nowhere')), /cannot be read as a folder/);
  });

  it('the default model must be among them', async () => {
    await add('spam', '1');
    const found = await findModels(directory);
    requireModel(found, 'spam', directory);
    assert.throws(() => requireModel(found, 'ham', directory), /holds no default model ham, only spam/);
  });
});
