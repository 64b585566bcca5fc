import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isSystemError, systemTrouble } from '../errors/system-trouble.js';
import { FileLock, LockedError } from './file-lock.js';
import type { Routings } from './routing.js';
import { readStateText, stateText } from './state-text.js';

/** Thousands of models. */
const MAX_BYTES = 2 ** 20;
/** A write takes milliseconds: what is older was left by a process that was killed. */
const ABANDONED_MS = 60_000;
/** What follows the file's name in the name of its next content. */
const NEXT = /^\.[0-9a-f]{16}\.new$/;
const READABLE_BY_ALL = 0o644;

/** The state file cannot be used as it is. */
export class StateFileError extends Error {
  override readonly name = 'StateFileError';

  /** @param problem what is wrong with it: `is not valid JSON` */
  constructor(path: string, problem: string) {
    super(`${path} ${problem}`);
  }
}

/**
 * The file that keeps routings beyond the end of a server. It is replaced in one step: whoever reads it, and whenever the process is
 * killed, there is the former content or the new one. Servers that share it change it one after the other.
 */
export class StateFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Removes what processes that were killed in the middle of a write have left beside it. */
  async tidy(): Promise<void> {
    const target = await this.#target();
    const folder = dirname(target);
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      if (!name.startsWith(basename(target)) || !NEXT.test(name.slice(basename(target).length))) continue;
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > ABANDONED_MS)
        await rm(path, { force: true }).catch(() => {});
    }
  }

  /** What the file system says about it without reading it. Two answers that agree are about the same content. */
  async identity(): Promise<string> {
    try {
      const { dev, ino, size, mtimeNs } = await stat(this.path, { bigint: true });
      return `${dev}:${ino} ${size} ${mtimeNs}`;
    } catch (error) {
      return systemTrouble(error);
    }
  }

  /**
   * What it says; undefined where there is no file.
   * @throws StateFileError if it cannot be read, is too large, or says anything that makes no sense
   */
  async read(): Promise<Routings | undefined> {
    const text = await this.#text();
    if (text === undefined) return undefined;
    const found = readStateText(text);
    if ('problem' in found) throw this.#error(found.problem);
    return found.routings;
  }

  /**
   * Changes what it says, while no other server does.
   * @param edit makes the new content of the present one; undefined: there is no file
   * @param signal gives up the wait for others
   * @returns the new content, once it is on the disk
   * @throws StateFileError if it cannot be read or written, or would be too large; what `edit` throws; the signal's reason. The
   *   former content is there then
   */
  async change(edit: (former: Routings | undefined) => Routings, signal?: AbortSignal): Promise<Routings> {
    const target = await this.#target();
    const lock = new FileLock(target);
    try {
      return await lock.hold(async () => {
        const changed = edit(await this.read());
        const text = stateText(changed);
        if (Buffer.byteLength(text) > MAX_BYTES) throw this.#error(`would be larger than ${MAX_BYTES} bytes`);
        await replace(target, text, lock);
        return changed;
      }, signal);
    } catch (error) {
      if (error instanceof LockedError) throw this.#error(error.message);
      if (!isSystemError(error)) throw error;
      throw this.#error(`cannot be written: ${systemTrouble(error)}`);
    }
  }

  /** Behind symbolic links the file is replaced, not a link, even if it is yet to be written. */
  async #target(): Promise<string> {
    const direct = await realpath(this.path).catch(() => undefined);
    if (direct !== undefined) return direct;
    const link = await readlink(this.path).catch(() => undefined);
    return link === undefined ? this.path : resolve(dirname(this.path), link);
  }

  async #text(): Promise<string | undefined> {
    let file: FileHandle;
    try {
      // A pipe in its place must not hold up the start.
      file = await open(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw this.#error(`cannot be read: ${systemTrouble(error)}`);
    }
    try {
      const found = await file.stat();
      if (!found.isFile()) throw this.#error('is not a regular file');
      return await this.#textOf(file);
    } catch (error) {
      if (error instanceof StateFileError) throw error;
      throw this.#error(`cannot be read: ${systemTrouble(error)}`);
    } finally {
      await file.close();
    }
  }

  /** Reads no more than a state file may hold, however much it grows meanwhile. */
  async #textOf(file: FileHandle): Promise<string> {
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const piece of file.createReadStream({ end: MAX_BYTES, autoClose: false })) {
      pieces.push(piece);
      length += piece.length;
    }
    if (length > MAX_BYTES) throw this.#error(`is larger than ${MAX_BYTES} bytes`);
    return Buffer.concat(pieces).toString('utf8');
  }

  #error(problem: string): StateFileError {
    return new StateFileError(this.path, problem);
  }
}

/** Replaces a file in one step and keeps who may read it. @throws LockedError; the operating system's error. The former content is there then */
async function replace(target: string, text: string, lock: FileLock): Promise<void> {
  const next = `${target}.${randomBytes(8).toString('hex')}.new`;
  const former = await stat(target).catch(() => undefined);
  try {
    const file = await open(next, 'wx', READABLE_BY_ALL);
    try {
      if (former !== undefined) await file.chmod(former.mode & 0o777);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await lock.check();
    await rename(next, target);
  } catch (error) {
    await rm(next, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(target));
}

/**
 * Without it the change may be lost with the power. It is made all the same where the file system cannot do this: nobody may be told
 * that nothing has changed.
 */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}
