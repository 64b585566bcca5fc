import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { serverNodeFlags } from '../../../bench/server-process.js';
import { repositoryRoot } from '../../support/repository.js';

const read = (file: string) => readFileSync(join(repositoryRoot, file), 'utf8');

describe('the server that is measured', () => {
  const words = ['node', ...serverNodeFlags, 'dist/src/main.js'];

  it('has the flags that npm start gives it', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    assert.ok(scripts.start?.endsWith(words.join(' ')), scripts.start);
  });

  it('has the flags that the container image gives it', () => {
    const [, entrypoint = ''] = /^ENTRYPOINT (.*)$/m.exec(read('Dockerfile')) ?? [];
    assert.deepEqual(JSON.parse(entrypoint), words);
  });
});
