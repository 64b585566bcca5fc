import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackDebianPackage } from './debian-packages.mjs';
import { toolsDir } from './paths.mjs';
import { runCommand } from './run-command.mjs';

/**
 * Gets redis-server from the distribution's own packages, unpacked under `.tools/` and started through a wrapper
 * script that knows its libraries; as root and where that fails, installed.
 *
 * @returns {Promise<string>} empty when done, else why not
 */
export async function provideRedisServer() {
  const probe = await runCommand('apt-get', ['--version'], { timeoutMs: 10_000 });
  if (!probe.ok)
    return 'it is not on the PATH, and without apt it cannot be fetched: install Redis 6.2 or newer';
  const reason = await unpack();
  if (reason === '') return '';
  if (process.getuid?.() !== 0) return reason;
  const installed = await runCommand(
    'apt-get',
    ['--quiet', '--yes', 'install', '--no-install-recommends', 'redis-server'],
    {
      timeoutMs: 120_000,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    },
  );
  return installed.ok ? '' : `${reason}; ${installed.reason}`;
}

async function unpack() {
  const fresh = join(toolsDir, `redis-${process.pid}.new`);
  try {
    const workDir = join(fresh, 'apt');
    const reason = await unpackDebianPackage('redis-server', {
      workDir,
      targetDir: fresh,
      timeoutMs: 120_000,
    });
    if (reason !== '') return reason;
    const target = join(toolsDir, 'redis');
    await rm(target, { recursive: true, force: true });
    await rename(fresh, target);
    await writeWrapper(target);
    return '';
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function writeWrapper(target) {
  const folders = (await readdir(join(target, 'usr', 'lib'))).filter((name) => name.includes('-linux-'));
  const libraries = folders.map((name) => `$root/usr/lib/${name}`).join(':');
  const script = `#!/bin/sh
root="$(cd -- "$(dirname -- "$0")/../redis" && pwd)"
LD_LIBRARY_PATH="${libraries}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export LD_LIBRARY_PATH
exec "$root/usr/bin/redis-server" "$@"
`;
  const bin = join(toolsDir, 'bin');
  await mkdir(bin, { recursive: true });
  const fresh = join(bin, `.redis-server-${process.pid}`);
  await writeFile(fresh, script);
  await chmod(fresh, 0o755);
  await rename(fresh, join(bin, 'redis-server'));
}
