import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { npm, npmEnvironment } from '../../support/npm.js';
import { repositoryRoot } from '../../support/repository.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const run = promisify(execFile);

const client = join(repositoryRoot, 'clients/typescript');

describe('what npm packs of a clone, past `npm run packages`', () => {
  it('of the root, has a command that says that there is no build, and what makes one', async (t) => {
    const folder = temporaryFolder(t);
    await npm(repositoryRoot, ['pack', `--pack-destination=${folder}`]);
    const [tarball = ''] = readdirSync(folder);
    await run('tar', ['-xzf', tarball], { cwd: folder });
    await assert.rejects(run(process.execPath, [join(folder, 'package/bin/verdict.js'), '--help']), {
      code: 70,
      stdout: '',
      stderr: 'verdict: this package holds no build. In a clone, `npm run packages` makes one that does\n',
    });
  });

  it('of the client, is nothing where npm runs scripts: it says what to pack instead', async (t) => {
    const folder = temporaryFolder(t);
    await assert.rejects(
      run('npm', ['pack', '--ignore-scripts=false', client], { cwd: folder, env: npmEnvironment() }),
      /pack build\/packages\/client instead: npm run packages makes it/,
    );
    assert.deepEqual(readdirSync(folder), []);
  });

  it('of the client, has a readme that tells the others', () => {
    assert.match(readFileSync(join(client, 'README.md'), 'utf8'), /without `dist\/`.*`npm run packages`/s);
  });
});
