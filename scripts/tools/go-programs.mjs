import { constants } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, posix } from 'node:path';
import { findGo } from './compilers.mjs';
import { toolsDir } from './paths.mjs';
import { runCommand } from './run-command.mjs';

/**
 * Builds programs with the Go toolchain of this machine, into `.tools/bin`.
 *
 * @param {readonly string[]} packages with their version: `example.org/module/cmd/name@v1.2.3`
 * @param {{ goVersion: string, suffix?: string }} options `goVersion`: the oldest that will do; `suffix`: what the
 *   names in `.tools/bin` end with
 * @returns {Promise<string>} empty when done, else why not
 */
export function buildGoPrograms(packages, { goVersion, suffix = '' }) {
  const names = packages.map((path) => posix.basename(path.split('@', 1)[0]));
  return install(packages, { names, goVersion, suffix, flags: '-mod=mod -modcacherw' });
}

/**
 * Builds the program of a module of this repository, whose `go.sum` pins all that it needs.
 *
 * @param {string} folder of its `go.mod`
 * @param {{ name: string, goVersion: string, suffix?: string }} options `name`: the last part of the module's name
 * @returns {Promise<string>} empty when done, else why not
 */
export function buildGoModule(folder, { name, goVersion, suffix = '' }) {
  return install(['.'], { names: [name], goVersion, suffix, flags: '-mod=readonly -modcacherw', folder });
}

async function install(packages, { names, goVersion, suffix, flags, folder }) {
  const go = await findGo();
  if (go === undefined)
    return `it is not on the PATH, and without Go it cannot be built: install it, or Go ${goVersion} or newer`;
  const work = join(toolsDir, `go-${process.pid}.new`);
  await mkdir(work, { recursive: true });
  try {
    const built = await runCommand(go, ['install', ...packages], {
      timeoutMs: 480_000,
      cwd: folder ?? work,
      env: {
        ...process.env,
        ...(await cacheFolders(work)),
        GOBIN: work,
        GOFLAGS: flags,
        CGO_ENABLED: '0',
      },
    });
    if (!built.ok) return built.reason;
    const bin = join(toolsDir, 'bin');
    await mkdir(bin, { recursive: true });
    for (const name of names) await rename(join(work, name), join(bin, `${name}${suffix}`));
    return '';
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The user's own Go caches make the second clone quick; an account without a home gets some that are thrown away. */
async function cacheFolders(work) {
  try {
    await access(homedir(), constants.W_OK);
    return {};
  } catch {
    return { HOME: work, GOPATH: join(work, 'path'), GOCACHE: join(work, 'cache') };
  }
}
