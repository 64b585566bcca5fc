import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, rmSync, symlinkSync } from 'node:fs';
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
  const printed = server.log.filter(({ msg }) => msg === 'output of a library').map(({ text }) => text);
  return [...server.complaints, ...printed].join('');
}

describe('a start with more than ten', () => {
  it('models warns of nothing', PATIENCE, async (t) => {
    const path = temporaryFolder(t);
    for (let number = 1; number <= 12; number++) {
      symlinkSync(join(repositoryRoot, 'test/fixtures/models/topics'), join(path, `topics-${number}`));
    }
    const settings = {
      VERDICT_MODELS_DIR: path,
      VERDICT_DEFAULT_MODEL: 'topics-1',
      VERDICT_MODEL_CACHE_SIZE: '0',
    };
    assert.equal(await complaints(t, settings, 12), '');
  });

  it('sessions warns of nothing', PATIENCE, async (t) => {
    const { path, remove } = await modelsDirectory(['topics']);
    t.after(remove);
    const settings = { VERDICT_MODELS_DIR: path, VERDICT_DEFAULT_MODEL: 'topics', VERDICT_INSTANCES: '12' };
    assert.equal(await complaints(t, settings, 12), '');
  });
});

describe('a pipe in the place of a file of a model', () => {
  it('is no reason to wait: that model fails, and the others serve', PATIENCE, async (t) => {
    const files = [
      'config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'golden.json',
      'onnx/model.onnx',
    ];
    const path = temporaryFolder(t);
    const fixture = join(repositoryRoot, 'test/fixtures/models/topics');
    symlinkSync(fixture, join(path, 'topics'));
    for (const [number, file] of files.entries()) {
      const version = join(path, `pipe-${number}`, '1');
      cpSync(join(fixture, '1'), version, { recursive: true });
      rmSync(join(version, file));
      execFileSync('mkfifo', [join(version, file)]);
    }
    const server = await ServerProcess.start({
      VERDICT_MODELS_DIR: path,
      VERDICT_DEFAULT_MODEL: 'topics',
      VERDICT_PRECISION: 'fp32',
      VERDICT_MODEL_CACHE_SIZE: '0',
    });
    t.after(() => server.kill('SIGKILL'));
    const reasons = server.log
      .filter(({ msg }) => msg === 'model could not be loaded: the others serve')
      .map(({ reason }) => String(reason));
    assert.equal(reasons.length, files.length, reasons.join());
    for (const [number, file] of files.entries()) {
      const expected = `pipe-${number}/1/${file}: is not a regular file`;
      assert.ok(
        reasons.some((reason) => reason.endsWith(expected)),
        `${expected} in ${reasons.join()}`,
      );
    }
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
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
