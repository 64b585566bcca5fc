import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, truncate, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { modelsDirectory } from '../../support/models-directory.js';

/** A start that does not end by itself is killed after this, and fails its test. */
const TIMEOUT_MS = 30_000;

/** Runs the server until it ends by itself. */
function serve(...flags: string[]): Promise<{ readonly code: unknown; readonly stderr: string }> {
  const argv = ['dist/src/main.js', '--port=0', '--admin-port=0', '--device=cpu', ...flags];
  const options = { env: { PATH: process.env.PATH }, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' as const };
  return new Promise((done) => {
    execFile(process.execPath, argv, options, (error, _, stderr) =>
      done({ code: error === null ? 0 : (error.signal ?? error.code), stderr }),
    );
  });
}

describe('a start that fails', () => {
  it('at the default model ends the processes of the others, and says which file is wrong', async (t) => {
    const models = await modelsDirectory(['topics']);
    t.after(models.remove);
    await cp(resolve('test/fixtures/models/topics'), join(models.path, 'late'), { recursive: true });
    await truncate(join(models.path, 'late/1/onnx/model.onnx'), 100);
    const { code, stderr } = await serve(
      `--models-dir=${models.path}`,
      '--default-model=late',
      '--precision=fp32',
    );
    assert.equal(code, 1);
    assert.match(
      stderr,
      /Could not start the models: model late, version 1: \S+late\S+model\.onnx: is not a readable ONNX/,
    );
  });

  it('for want of the default model says so before it starts a process', async (t) => {
    const models = await modelsDirectory(['topics']);
    t.after(models.remove);
    const { code, stderr } = await serve(`--models-dir=${models.path}`);
    assert.equal(code, 1);
    assert.match(stderr, /holds no default model sentiment, only topics/);
  });

  it('before there is anything to stop is told in a sentence', async (t) => {
    const models = await modelsDirectory(['topics']);
    t.after(models.remove);
    const file = join(models.path, 'settings.yaml');
    await writeFile(file, 'redis: { url: "rediss://127.0.0.1:1", caFile: nowhere.pem }');
    const { code, stderr } = await serve(`--config=${file}`);
    assert.equal(code, 2);
    assert.match(stderr, /^redis\.caFile in \S+ is "nowhere\.pem": it cannot be read: there is no such file/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });
});
