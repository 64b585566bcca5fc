import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the build reads. A change of anything else needs no build. */
const SOURCES = ['src', 'clients/typescript/src', 'generated', 'tsconfig.json', 'package-lock.json'];

/** Exit code of a command line that could not be built: EX_SOFTWARE of sysexits. */
const BUILD_FAILED = 70;

const LOCK_POLL_MS = 100;

/**
 * Builds a clone whose build is missing, or older than its sources. Costs a look at some hundred time stamps where
 * there is nothing to do.
 * @param {string} root the clone
 * @returns {Promise<number>} 0, or the exit code to end with; why was then said on standard error
 */
export async function ensureBuilt(root) {
  const dist = join(root, 'dist');
  const stamp = join(dist, '.built');
  const lock = join(dist, '.building');
  if (isFresh(root, stamp)) return 0;
  mkdirSync(dist, { recursive: true });
  while (!takeLock(lock)) await sleep(LOCK_POLL_MS);
  try {
    // Whoever held the lock may have done it.
    return isFresh(root, stamp) ? 0 : build(root, stamp);
  } finally {
    rmSync(lock, { force: true });
  }
}

function build(root, stamp) {
  const tsc = findCompiler(root);
  if (tsc === undefined) {
    process.stderr.write('verdict: TypeScript is not installed, and this clone is not built. Run: npm ci\n');
    return BUILD_FAILED;
  }
  const startedAt = new Date();
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.json')], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}verdict: the build failed, see above\n`);
    return BUILD_FAILED;
  }
  writeFileSync(stamp, `${startedAt.getTime()}\n`);
  return 0;
}

function findCompiler(root) {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve('typescript/package.json');
    return join(dirname(manifest), 'bin', 'tsc');
  } catch {
    return undefined;
  }
}

/** Whether the stamp, which tells when the last build began, is younger than every source. */
function isFresh(root, stamp) {
  if (!existsSync(join(root, 'dist', 'src', 'cli', 'main.js')) || !existsSync(stamp)) return false;
  const builtAt = Number(readFileSync(stamp, 'utf8'));
  return SOURCES.every((name) => newestChange(join(root, name)) < builtAt);
}

/** When anything at or under the path was changed last; a folder changes when a file comes or goes. */
function newestChange(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return readdirSync(path).reduce(
    (newest, name) => Math.max(newest, newestChange(join(path, name))),
    stats.mtimeMs,
  );
}

/** Takes the lock, or returns false while a living process holds it. */
function takeLock(lock) {
  try {
    const file = openSync(lock, 'wx');
    writeFileSync(file, `${process.pid}\n`);
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!isHeld(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isHeld(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // Just created, its owner not yet written in.
    if (pid === 0) return Date.now() - statSync(lock).mtimeMs < 5_000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
