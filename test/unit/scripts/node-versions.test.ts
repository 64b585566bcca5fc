import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../../support/repository.js';

const read = (path: string) => readFile(join(repositoryRoot, path), 'utf8');

it('the image, .nvmrc and the second run of the tests name one Node.js', async () => {
  const image = /^ARG NODE_IMAGE=node:((\d+)\.\d+\.\d+)-/m.exec(await read('Dockerfile'));
  const script: { node24: string } = await import(
    pathToFileURL(join(repositoryRoot, 'scripts/tools/node24.mjs')).href
  );
  assert.equal(script.node24, `node-${image?.[1]}`);
  assert.equal((await read('.nvmrc')).trim(), image?.[2]);
});
