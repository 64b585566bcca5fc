import { type FileHandle, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { emptyKeyFile } from '../../config/key-file-text.js';
import { MAX_BYTES } from '../../tls/file-content.js';
import { createTrouble, readTrouble } from '../file-trouble.js';
import { UsageError } from '../usage-error.js';
import { checked, type KeyFileContent, readKeyFile } from './read-key-file.js';

const LOCK_TRIES = 100;
const LOCK_PAUSE_MS = 50;

export interface EditOptions {
  /** Whether a file that is not there counts as one without keys. */
  readonly creates: boolean;
}

/**
 * Changes a key file in one step: a server that reads it sees the former file or the new one. Two commands at the same time
 * wait for each other.
 * @throws UsageError if the file cannot be read or written, or holds something else; what `edit` throws
 */
export async function editKeyFile(
  path: string,
  { creates }: EditOptions,
  edit: (content: KeyFileContent) => Promise<string>,
): Promise<void> {
  const target = await behindLinks(path);
  const unlock = await lock(target);
  try {
    const isNew = creates && !(await exists(target));
    const before = isNew ? await fresh(target) : await readKeyFile(target);
    const text = await edit(before);
    // An edit of YAML by hand, with anchors for one, may leave something that is none.
    await checked(text, path);
    if (Buffer.byteLength(text) > MAX_BYTES)
      throw new UsageError(`${path} would be larger than the ${MAX_BYTES} bytes that a server reads`);
    await replace(target, text, isNew);
  } finally {
    await unlock();
  }
}

/** Behind a symbolic link the file is replaced, not the link. */
async function behindLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (await isLink(path)) throw readTrouble(path, error);
    return path;
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
}

async function fresh(path: string): Promise<KeyFileContent> {
  const text = emptyKeyFile();
  return { text, file: await checked(text, path) };
}

async function lock(target: string): Promise<() => Promise<void>> {
  const path = `${target}.lock`;
  for (let tries = 0; tries < LOCK_TRIES; tries++) {
    try {
      await (await open(path, 'wx', 0o600)).close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw createTrouble(path, error);
    }
    await delay(LOCK_PAUSE_MS);
  }
  throw new UsageError(`another command is changing ${target}; if there is none, remove ${path}`);
}

/** The new file has the owner of the former one, and lets read it who could, but never everybody. */
async function replace(target: string, text: string, isNew: boolean): Promise<void> {
  const next = `${target}.new`;
  try {
    const former = isNew ? undefined : await stat(target);
    // A command that was killed may have left one.
    await rm(next, { force: true });
    const file = await open(next, 'wx', 0o600);
    try {
      await file.writeFile(text);
      if (former !== undefined) await keepAccess(file, former);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, target);
    await syncFolder(dirname(target));
  } catch (error) {
    await rm(next, { force: true });
    throw createTrouble(target, error);
  }
}

async function keepAccess(
  file: FileHandle,
  former: { readonly uid: number; readonly gid: number; readonly mode: number },
): Promise<void> {
  const { uid, gid } = await file.stat();
  if (uid !== former.uid || gid !== former.gid) await file.chown(former.uid, former.gid);
  await file.chmod((former.mode & 0o660) | 0o600);
}

/** Without it a rename may be lost with the power, and a revoked key be back. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    // Of any other trouble, reading tells.
    return !isCode(error, 'ENOENT');
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
