import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../support/repository.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { requireTool } from '../../support/tool.js';

const run = promisify(execFile);

describe('the workflows of GitHub', () => {
  it('are what actionlint takes', async (t) => {
    const actionlint = await requireTool(t, 'actionlint-v1.7.12');
    if (actionlint === undefined) return;
    const folder = join(repositoryRoot, '.github/workflows');
    await run(actionlint, [join(folder, 'ci.yml'), join(folder, 'release.yml')]);
  });

  it('would not pass with a job that needs one that is not there', async (t) => {
    const actionlint = await requireTool(t, 'actionlint-v1.7.12');
    if (actionlint === undefined) return;
    const path = join(temporaryFolder(t), 'wrong.yml');
    writeFileSync(
      path,
      'on: push\njobs:\n  a:\n    needs: b\n    runs-on: ubuntu-24.04\n    steps:\n      - run: "true"\n',
    );
    await assert.rejects(run(actionlint, [path]), ({ stdout }: { stdout: string }) => /needs/.test(stdout));
  });
});
