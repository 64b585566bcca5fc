import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
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

describe('what the release compares', () => {
  it('is a tag with the highest version, of which alone `latest` is made', async (t) => {
    const command = commandOf('check', 'ls-remote');
    const origin = temporaryFolder(t);
    const git = (...args: string[]) => run('git', ['-C', origin, ...args]);
    await git('init', '--quiet');
    await git(
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@b',
      'commit',
      '--quiet',
      '--allow-empty',
      '--message=a',
    );
    for (const tag of ['v0.9.1', 'v0.10.0', 'v0.10.0-rc.1', 'v10', 'clients/go/v2.0.0'])
      await git('tag', tag);
    await git('remote', 'add', 'origin', origin);
    for (const [tag, newest] of [
      ['v0.10.0', 'true'],
      ['v0.9.1', 'false'],
    ] as const) {
      const output = join(origin, `output-${tag}`);
      await shell(command, { cwd: origin, env: { GITHUB_REF_NAME: tag, GITHUB_OUTPUT: output } });
      assert.equal(readFileSync(output, 'utf8'), `newest=${newest}\n`, tag);
    }
  });

  it('is the version of npm, which must know trusted publishing', async (t) => {
    const command = commandOf('npm', 'npm --version');
    for (const version of ['11.5.1', '11.19.1']) await shell(command, withNpm(t, version));
    await assert.rejects(shell(command, withNpm(t, '10.9.9')), /disorder/);
  });
});

/** The command of a job of the release that holds some words. */
function commandOf(job: string, words: string): string {
  const { jobs }: { jobs: Record<string, { steps: { run?: string }[] }> } = parse(
    readFileSync(join(repositoryRoot, '.github/workflows/release.yml'), 'utf8'),
  );
  const step = jobs[job]?.steps.find(({ run: command }) => command?.includes(words));
  return step?.run ?? assert.fail(`the job ${job} has no command with ${words}`);
}

/** Runs a command as GitHub does where a workflow names bash. */
function shell(
  command: string,
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<unknown> {
  return run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', command], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
  });
}

/** A folder with an npm of that version, which a command there finds first. */
function withNpm(t: TestContext, version: string): { cwd: string; env: Record<string, string> } {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'npm'), `#!/bin/sh\necho ${version}\n`);
  chmodSync(join(folder, 'npm'), 0o755);
  return { cwd: folder, env: { PATH: `${folder}:${process.env.PATH}` } };
}
