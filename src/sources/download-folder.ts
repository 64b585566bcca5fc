import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isSystemError } from '../errors/system-trouble.js';
import { LockFile } from './lock-file.js';
import { RegistryError } from './source-error.js';

/** Hidden, so that a server passes it over. */
const NAME = '.downloads';
/** What nobody has gone on with for so long is not worth its space. */
const LIFETIME_MS = 7 * 24 * 3_600_000;

/** A file of a registry. */
export interface Download {
  /** For messages: where it comes from. */
  readonly name: string;
  /** What tells this content from all others: the parts of its address, and whatever changes with it. */
  readonly identity: readonly string[];
  readonly bytes: number;
  /** Undefined: the registry tells none, and the number of bytes has to do. */
  readonly digest: DownloadDigest | undefined;
}

export interface DownloadDigest {
  readonly kind: 'sha256' | 'md5';
  /** In hexadecimal digits. */
  readonly value: string;
}

/** Writes a chunk behind those before it. */
export type WriteChunk = (chunk: Uint8Array) => Promise<void>;

/**
 * A hidden folder in the models folder that keeps what has arrived of a model's files, so that the next attempt goes on from there
 * after a cut, a kill or a restart. One process at a time works in it.
 */
export class DownloadFolder {
  readonly #home: string;
  readonly #path: string;
  #lock: LockFile | undefined;

  constructor(modelsDir: string, model: string) {
    this.#home = join(modelsDir, NAME);
    this.#path = join(this.#home, model);
  }

  /** Waits until no other process works in it. @throws the signal's reason; the file system's errors */
  async lock(signal: AbortSignal): Promise<void> {
    this.#lock ??= await LockFile.acquire(`${this.#path}.lock`, { signal });
  }

  /** Lets others work in it. */
  async release(): Promise<void> {
    await this.#lock?.release();
    this.#lock = undefined;
    // Not while others use it.
    await rmdir(this.#home).catch(() => undefined);
  }

  /**
   * Puts the whole content of a file at `target`: what an earlier attempt left here, and the rest as `download` brings it.
   *
   * @param download writes the bytes from `from` on
   * @throws RegistryError for a content of another digest or size, which is then removed; what `download` throws; the file system's
   *   errors; the signal's reason
   */
  async bring(
    file: Download,
    target: string,
    signal: AbortSignal,
    download: (from: number, write: WriteChunk) => Promise<void>,
  ): Promise<void> {
    await this.lock(signal);
    await mkdir(this.#path, { recursive: true });
    await this.#removeOld();
    const path = join(this.#path, keyOf(file));
    if ((await sizeOf(path)) !== file.bytes) {
      await this.#fetch(file, `${path}.partial`, download);
      await rename(`${path}.partial`, path);
    }
    // The same file under two names takes no space; some file systems have one name for each.
    await link(path, target).catch(() => copyFile(path, target));
  }

  /** Removes all that is here. The models that were made of it keep their files. */
  async clear(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
  }

  async #fetch(
    { name, bytes, digest }: Download,
    partial: string,
    download: (from: number, write: WriteChunk) => Promise<void>,
  ): Promise<void> {
    const file = await open(partial, 'a+');
    try {
      let { size } = await file.stat();
      if (size > bytes) {
        await file.truncate(0);
        size = 0;
      }
      await this.#refuseTooLarge(partial, bytes - size);
      if (size < bytes) await download(size, (chunk) => file.writeFile(chunk));
      await file.sync();
    } catch (error) {
      // An open file's errors do not say which file it is.
      throw isSystemError(error) ? Object.assign(error as Error, { path: partial }) : error;
    } finally {
      await file.close();
    }
    const isWhole = (await sizeOf(partial)) === bytes;
    if (isWhole && (digest === undefined || (await hashOf(partial, digest.kind)) === digest.value)) return;
    await rm(partial, { force: true });
    throw new RegistryError(
      isWhole
        ? `${name} arrived damaged: its content does not have the ${digest?.kind.toUpperCase()} digest that the registry tells`
        : `${name} does not have the ${bytes} bytes that the registry lists`,
    );
  }

  /** Before hours of a download that could not be kept. */
  async #refuseTooLarge(partial: string, bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#path);
    if (bytes <= bavail * bsize) return;
    throw Object.assign(new Error(`no space for ${bytes} bytes`), {
      code: 'ENOSPC',
      syscall: 'write',
      path: partial,
    });
  }

  async #removeOld(): Promise<void> {
    for (const name of await readdir(this.#path)) {
      const path = join(this.#path, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > LIFETIME_MS) await rm(path, { force: true });
    }
  }
}

/** The hash of a file's content, in hexadecimal digits. */
export async function hashOf(path: string, kind: DownloadDigest['kind']): Promise<string> {
  const hash = createHash(kind);
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}

function keyOf({ identity, bytes }: Download): string {
  return createHash('sha256')
    .update(JSON.stringify([...identity, bytes]))
    .digest('hex');
}

/** Undefined for a file that is missing. */
async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}
