import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { repositoryRoot } from '../../support/repository.js';

/** A real library that is linked with another one of its own folder, and so is not complete anywhere else. */
const binding = join(
  dirname(createRequire(import.meta.url).resolve('onnxruntime-node')),
  `../bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`,
);
const PARTNER = 'libonnxruntime.so.1';

const skip = process.platform === 'linux' ? false : 'there is no ldd';

describe('the check of the CUDA libraries', { skip }, () => {
  let provider: string;
  let libraries: string;

  beforeEach(async (t) => {
    const test = t as TestContext;
    provider = await folder(test);
    libraries = await folder(test);
    await copyFile(binding, join(provider, 'libonnxruntime_providers_cuda.so'));
    await copyFile(process.execPath, join(provider, 'libonnxruntime_providers_shared.so'));
    await copyFile(process.execPath, join(libraries, 'libcudnn.so.9'));
  });

  it('fails where a library that the provider is linked with is missing, and names it', () => {
    const { status, stderr } = check(provider, libraries);
    assert.match(stderr, new RegExp(`providers_cuda\\.so needs ${PARTNER}, which is not found`));
    assert.equal(status, 1);
  });

  it('passes once the library is in the folder, or on the path of the loader', async () => {
    const elsewhere = check(provider, libraries, { LD_LIBRARY_PATH: dirname(binding) });
    assert.deepEqual([elsewhere.status, elsewhere.stderr], [0, '']);
    await symlink(join(dirname(binding), PARTNER), join(libraries, PARTNER));
    const { status, stdout, stderr } = check(provider, libraries);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /complete: 4 libraries checked/);
  });

  it('looks at what the libraries beside it need, too', async () => {
    await symlink(join(dirname(binding), PARTNER), join(provider, PARTNER));
    await copyFile(binding, join(libraries, 'libcublas.so.13'));
    const { status, stderr } = check(provider, libraries);
    assert.match(stderr, new RegExp(`libcublas\\.so\\.13 needs ${PARTNER}`));
    assert.equal(status, 1);
  });

  it('fails where the provider was not downloaded, or only in part', async () => {
    await rm(join(provider, 'libonnxruntime_providers_cuda.so'));
    await writeFile(join(provider, 'libonnxruntime_providers_shared.so'), '');
    const { status, stderr } = check(provider, libraries);
    assert.match(stderr, /providers_cuda\.so is missing\n.*providers_shared\.so is no shared library/);
    assert.equal(status, 1);
  });

  it('fails where a library is there in a version that is too old', async () => {
    const line =
      "./libcudnn.so.9: /lib/libc.so.6: version `GLIBC_9.9' not found (required by ./libcudnn.so.9)";
    await writeFile(join(libraries, 'ldd'), `#!/bin/sh\ncat <<'END'\n${line}\nEND\n`, { mode: 0o755 });
    const { status, stderr } = check(provider, libraries, { PATH: `${libraries}:${process.env.PATH}` });
    assert.match(
      stderr,
      /libcudnn\.so\.9 needs version GLIBC_9\.9 of \/lib\/libc\.so\.6, which is not found/,
    );
    assert.equal(status, 1);
  });

  it('fails where a library is missing that is only opened later', async () => {
    await rm(join(libraries, 'libcudnn.so.9'));
    const { status, stderr } = check(provider, libraries, { LD_LIBRARY_PATH: dirname(binding) });
    assert.match(stderr, /libcudnn\.so\.9 is missing/);
    assert.equal(status, 1);
  });
});

function check(provider: string, libraries: string, env: Readonly<Record<string, string>> = {}) {
  const script = join(repositoryRoot, 'scripts/check-cuda-libraries.mjs');
  return spawnSync(process.execPath, [script, provider, libraries], {
    encoding: 'utf8',
    timeout: 30_000,
    env: { PATH: process.env.PATH, ...env },
  });
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cuda-libraries-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}
