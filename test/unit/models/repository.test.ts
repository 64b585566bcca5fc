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
    const { locations: found } = await findModels(directory);
    assert.deepEqual(
      found.map(({ name, version }) => [name, version]),
      [
        ['intent', '2'],
        ['spam', '10'],
      ],
    );
    assert.equal(found[1]?.directory, join(directory, 'spam', '10'));
  });

  it('takes the versions that are chosen, model by model, and lists those that are not there', async () => {
    for (const version of ['1', '2', '10']) await add('spam', version);
    await add('intent', '4');
    const asked: unknown[] = [];
    const { locations } = await findModels(directory, (model, found) => {
      asked.push([model, found]);
      return model === 'spam' ? ['11', '10', '2'] : found;
    });
    assert.deepEqual(
      locations.map(({ name, version }) => `${name}/${version}`),
      ['intent/4', 'spam/11', 'spam/10', 'spam/2'],
    );
    assert.deepEqual(asked.sort(), [
      ['intent', ['4']],
      ['spam', ['10', '2', '1']],
    ]);
  });

  it('passes over hidden folders, and what a file system keeps for itself', async () => {
    await add('.cache', '1');
    await add('lost+found');
    await add('spam', '1');
    const { locations, broken, ignored } = await findModels(directory);
    assert.deepEqual([locations.length, broken, ignored], [1, [], []]);
  });

  it('says which folders are ignored that somebody may take for models or versions', async () => {
    await add('Spam Filter', '1');
    await add('spam', '1');
    await add('spam', '02');
    await add('spam', 'v3');
    await add('spam', 'notes');
    const { locations, ignored } = await findModels(directory);
    assert.deepEqual(
      locations.map(({ version }) => version),
      ['1'],
    );
    const told = ignored.map(({ path, reason }) => `${path.slice(directory.length)}: ${reason}`).sort();
    assert.equal(told.length, 3);
    assert.match(told[0] ?? '', /^.Spam Filter: a model's name must match/);
    assert.match(told[1] ?? '', /^.spam.02: a version is named 1, 2, ..., without a leading zero/);
    assert.match(told[2] ?? '', /^.spam.v3: a version is named/);
  });

  it('a model without a version is broken, and the others are found', async () => {
    await add('intent', '1');
    await add('spam', '01');
    const { locations, broken } = await findModels(directory);
    assert.deepEqual([locations.length, broken.length], [1, 1]);
    assert.match(broken[0]?.error.message ?? '', /spam: holds no version: .*spam.01 is ignored/);
    assert.throws(
      () => requireModel({ locations, broken, ignored: [] }, 'spam', directory),
      /holds no version/,
    );
  });

  it('refuses an empty folder and one that is not there', async () => {
    await assert.rejects(findModels(directory), /holds no model/);
    await assert.rejects(findModels(join(directory, 'nowhere')), /cannot be read as a folder/);
  });

  it('the default model must be among them', async () => {
    await add('spam', '1');
    const found = await findModels(directory);
    requireModel(found, 'spam', directory);
    assert.throws(() => requireModel(found, 'ham', directory), /holds no default model ham, only spam/);
  });
});
