import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Runs `work` while no other process holds the lock file. A lock whose owner is gone, or that is older than
 * `timeoutMs`, is broken. What the lock guards is moved into place atomically, so a lock broken too early costs
 * work done twice and nothing else.
 *
 * @template T
 * @param {string} lockPath
 * @param {number} timeoutMs how long the work may take, and so how long a lock is believed
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(lockPath, timeoutMs, work) {
  await mkdir(dirname(lockPath), { recursive: true });
  while (!(await tryLock(lockPath))) {
    if (await isStale(lockPath, timeoutMs)) await rm(lockPath, { force: true });
    else await delay(pollMs);
  }
  try {
    return await work();
  } finally {
    await rm(lockPath, { force: true });
  }
}

const pollMs = 100;

async function tryLock(lockPath) {
  try {
    const file = await open(lockPath, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(lockPath, timeoutMs) {
  try {
    const { mtimeMs } = await stat(lockPath);
    if (Date.now() - mtimeMs > timeoutMs) return true;
    const owner = Number(await readFile(lockPath, 'utf8'));
    // Empty: its owner is between creating and writing it.
    return owner > 0 && !isAlive(owner);
  } catch {
    return false;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
