import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemTrouble } from '../errors/system-trouble.js';
import { routingsIn, textOfRoutings } from './kept-routing.js';
import type { Routings } from './routing.js';

/** Thousands of models. */
const MAX_BYTES = 2 ** 20;
/** A write takes milliseconds: what is older was left by a process that was killed. */
const ABANDONED_MS = 60_000;

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
 * killed, there is the former content or the new one.
 */
export class StateFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Removes what processes that were killed in the middle of a write have left beside it. */
  async tidy(): Promise<void> {
    const folder = dirname(this.#path);
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      if (!name.startsWith(`${basename(this.#path)}.`) || !name.endsWith('.new')) continue;
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > ABANDONED_MS)
        await rm(path, { force: true }).catch(() => {});
    }
  }

  /**
   * What it says; nothing where there is no file yet.
   * @throws StateFileError if it cannot be read, is too large, or says anything that makes no sense
   */
  async read(): Promise<Routings> {
    const text = await this.#text();
    if (text === undefined) return new Map();
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw this.#error('is not valid JSON');
    }
    const found = routingsIn(value);
    if ('problem' in found) throw this.#error(found.problem);
    return found.routings;
  }

  /**
   * Resolves when the new content is on the disk.
   * @throws StateFileError if it cannot be written, or would be too large. The former content is there then
   */
  async write(routings: Routings): Promise<void> {
    const text = textOfRoutings(routings);
    if (Buffer.byteLength(text) > MAX_BYTES) throw this.#error(`would be larger than ${MAX_BYTES} bytes`);
    // Behind a symbolic link the file is replaced, not the link.
    const target = await realpath(this.#path).catch(() => this.#path);
    const next = `${target}.${randomBytes(8).toString('hex')}.new`;
    try {
      const file = await open(next, 'wx', 0o644);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(next, target);
      await syncFolder(dirname(target));
    } catch (error) {
      await rm(next, { force: true }).catch(() => {});
      throw this.#error(`cannot be written: ${systemTrouble(error)}`);
    }
  }

  async #text(): Promise<string | undefined> {
    let file: FileHandle;
    try {
      // A pipe in its place must not hold up the start.
      file = await open(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw this.#error(`cannot be read: ${systemTrouble(error)}`);
    }
    try {
      const found = await file.stat();
      if (!found.isFile()) throw this.#error('is not a regular file');
      if (found.size > MAX_BYTES) throw this.#error(`is larger than ${MAX_BYTES} bytes`);
      return await file.readFile('utf8');
    } catch (error) {
      if (error instanceof StateFileError) throw error;
      throw this.#error(`cannot be read: ${systemTrouble(error)}`);
    } finally {
      await file.close();
    }
  }

  #error(problem: string): StateFileError {
    return new StateFileError(this.#path, problem);
  }
}

/** Without it a rename may be lost with the power. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
