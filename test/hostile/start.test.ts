import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { childProcesses } from '../support/child-processes.js';
import { modelsDirectory } from '../support/models-directory.js';
import { repositoryRoot } from '../support/repository.js';
import { ServerProcess } from '../support/server-process.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PATIENCE = { timeout: 120_000 };

/** Starts, stops, and returns what was complained of on standard error. */
async function complaints(
  t: TestContext,
  settings: Record<string, string>,
  sessions: number,
): Promise<string> {
  const server = await ServerProcess.start(settings);
  t.after(() => server.kill('SIGKILL'));
  assert.equal(childProcesses(server.pid).length, sessions);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  return server.complaints.join('');
}

describe('a start with more than ten', () => {
  it('models warns of nothing', PATIENCE, async (t) => {
    const path = temporaryFolder(t);
    for (let number = 1; number <= 12; number++) {
      symlinkSync(join(repositoryRoot, 'test/fixtures/models/topics'), join(path, `topics-${number}`));
    }
    const settings = { VERDICT_MODELS_DIR: path, VERDICT_DEFAULT_MODEL: 'topics-1' };
    assert.equal(await complaints(t, settings, 12), '');
  });

  it('sessions warns of nothing', PATIENCE, async (t) => {
    const { path, remove } = await modelsDirectory(['topics']);
    t.after(remove);
    const settings = { VERDICT_MODELS_DIR: path, VERDICT_DEFAULT_MODEL: 'topics', VERDICT_INSTANCES: '12' };
    assert.equal(await complaints(t, settings, 12), '');
  });
});

describe('a low limit of open files', () => {
  for (const entry of ['dist/src/main.js', 'dist/src/cli/main.js serve']) {
    it(`stops the start with a sentence: ${entry}`, PATIENCE, async () => {
      const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
        execFile(
          'sh',
          ['-c', `ulimit -n 64; exec "${process.execPath}" ${entry}`],
          { cwd: repositoryRoot },
          (error, _stdout, said) => resolve({ code: error?.code ?? 0, stderr: said }),
        );
      });
      assert.equal(code, 1, stderr);
      assert.match(stderr, /^this process may open 64 files \(ulimit -n\), and needs 160 to start/);
      assert.equal(stderr.trim().split('\n').length, 1);
    });
  }
});
