import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileContent } from '../../../src/tls/file-content.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

describe('the content of a file that the server follows', () => {
  it('is its text, or why it cannot be had', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'file');
    assert.deepEqual(await fileContent(path), {
      trouble: 'cannot be read: there is no such file or directory (ENOENT)',
    });
    assert.deepEqual(await fileContent(folder), { trouble: 'cannot be read: it is a directory (EISDIR)' });
    writeFileSync(path, 'text');
    assert.deepEqual(await fileContent(path), { content: 'text' });
    writeFileSync(path, 'x'.repeat(2 ** 20 + 1));
    assert.deepEqual(await fileContent(path), { trouble: 'cannot be read: it is larger than 1048576 bytes' });
  });

  it('is not waited for if the file is a pipe', { timeout: 10_000 }, async (t) => {
    const path = join(temporaryFolder(t), 'pipe');
    execFileSync('mkfifo', [path]);
    assert.deepEqual(await fileContent(path), { trouble: 'is not a regular file' });
  });
});
