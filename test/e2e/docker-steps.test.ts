import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { repositoryRoot } from '../support/repository.js';

describe('the steps of the Dockerfile', () => {
  it('put together an image whose server is healthy, not root, stops cleanly and writes nothing', async (t) => {
    const { status, stdout } = run(await builtStages(t));
    assert.equal(status, 0, stdout);
    const [, user] =
      /cpu: healthy as user (\d+), stopped cleanly, wrote nothing into its files/.exec(stdout) ?? [];
    // Where nobody but root can reach this clone, the image's user cannot read what is linked to it.
    assert.ok(Number(user) > 0 || !isOpenToAll(repositoryRoot), stdout);
  });

  it('are seen to fail where the image lacks what the server needs', async (t) => {
    const stages = await builtStages(t);
    await rm(join(stages, 'build/app/dist'));
    await mkdir(join(stages, 'build/app/dist'));
    const { status, stdout } = run(stages);
    assert.equal(status, 1, stdout);
    assert.match(stdout, /failed: the server ended with 1/);
  });
});

function isOpenToAll(path: string): boolean {
  const isSearchable = (statSync(path).mode & 1) !== 0;
  return isSearchable && (path === dirname(path) || isOpenToAll(dirname(path)));
}

/**
 * The two stages that install and compile, as links to what is installed and compiled here already: the rest runs in
 * seconds. `node scripts/docker-steps.mjs` runs these two as well.
 */
async function builtStages(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docker-stages-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'build/app'), { recursive: true });
  await mkdir(join(folder, 'dependencies/app'), { recursive: true });
  await symlink(join(repositoryRoot, 'dist'), join(folder, 'build/app/dist'));
  await symlink(join(repositoryRoot, 'node_modules'), join(folder, 'dependencies/app/node_modules'));
  return folder;
}

function run(stages: string) {
  const given = ['build', 'dependencies'].map((name) => `--stage=${name}=${join(stages, name)}`);
  return spawnSync(process.execPath, [join(repositoryRoot, 'scripts/docker-steps.mjs'), 'cpu', ...given], {
    encoding: 'utf8',
    timeout: 110_000,
  });
}
