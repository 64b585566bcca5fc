import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackDebianPackage } from './debian-packages.mjs';
import { toolsDir } from './paths.mjs';
import { runCommand } from './run-command.mjs';

const timeoutMs = 240_000;

/** @returns {Promise<string>} empty when done, else why not */
export const provideRedisServer = () =>
  provideDebianProgram({
    program: 'redis-server',
    packageName: 'redis-server',
    otherwise: 'install Redis 6.2 or newer',
  });

/** @returns {Promise<string>} empty when done, else why not */
export const provideCurl = () =>
  provideDebianProgram({ program: 'curl', packageName: 'curl', otherwise: 'install curl' });

/** @returns {Promise<string>} empty when done, else why not */
export const providePromtool = () =>
  provideDebianProgram({
    program: 'promtool',
    packageName: 'prometheus',
    otherwise: 'install Prometheus 2.42 or newer',
    // A Go program. To install the package would start the server that it is of.
    standalone: true,
  });

/**
 * Gets a program from the distribution's own packages, unpacked under `.tools/` and started through a wrapper script
 * that knows its libraries; as root and where that fails, installed.
 *
 * @param {object} options
 * @param {string} options.program its name, in `usr/bin` of the package
 * @param {string} options.packageName
 * @param {string} options.otherwise what to do where there is no apt
 * @param {boolean} [options.standalone] it needs nothing that its package depends on, and is never installed
 * @returns {Promise<string>} empty when done, else why not
 */
async function provideDebianProgram({ program, packageName, otherwise, standalone = false }) {
  const probe = await runCommand('apt-get', ['--version'], { timeoutMs: 10_000 });
  if (!probe.ok) return `it is not on the PATH, and without apt it cannot be fetched: ${otherwise}`;
  const reason = await unpack(program, packageName, standalone);
  if (reason === '' || standalone || process.getuid?.() !== 0) return reason;
  const installed = await runCommand(
    'apt-get',
    ['--quiet', '--yes', 'install', '--no-install-recommends', packageName],
    { timeoutMs, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } },
  );
  return installed.ok ? '' : `${reason}; ${installed.reason}`;
}

async function unpack(program, packageName, standalone) {
  const fresh = join(toolsDir, `${program}-${process.pid}.new`);
  try {
    const workDir = join(fresh, 'apt');
    const options = { workDir, targetDir: fresh, timeoutMs, withDependencies: !standalone };
    const reason = await unpackDebianPackage(packageName, options);
    if (reason !== '') return reason;
    const target = join(toolsDir, program);
    await rm(target, { recursive: true, force: true });
    await rename(fresh, target);
    await writeWrapper(program, target);
    return '';
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function writeWrapper(program, target) {
  const script = `#!/bin/sh
root="$(cd -- "$(dirname -- "$0")/../${program}" && pwd)"
${await libraryPath(target)}exec "$root/usr/bin/${program}" "$@"
`;
  const bin = join(toolsDir, 'bin');
  await mkdir(bin, { recursive: true });
  const fresh = join(bin, `.${program}-${process.pid}`);
  await writeFile(fresh, script);
  await chmod(fresh, 0o755);
  await rename(fresh, join(bin, program));
}

/** The lines that make the loader look among what was unpacked; none where that has no libraries. */
async function libraryPath(target) {
  const usr = await readdir(join(target, 'usr'));
  const names = usr.includes('lib') ? await readdir(join(target, 'usr/lib')) : [];
  const folders = names.filter((name) => name.includes('-linux-')).map((name) => `$root/usr/lib/${name}`);
  if (folders.length === 0) return '';
  return `LD_LIBRARY_PATH="${folders.join(':')}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export LD_LIBRARY_PATH
`;
}
