import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isSystemError } from '../errors/system-trouble.js';
import type { HubDigest, HubFile } from './hub-file.js';
import { isAlive } from './is-alive.js';
import { HubError } from './source-error.js';

/**
 * One repository in the cache that all of the Hub's clients share: `blobs/` holds contents by their digest, `snapshots/` the files
 * of a commit as links to them, `refs/` the commit of a branch. https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
export class HubCache {
  readonly #folder: string;

  constructor(cacheDir: string, repo: string) {
    this.#folder = join(cacheDir, `models--${repo.replaceAll('/', '--')}`);
  }

  /** The commit that the revision named when it was last asked for; undefined: it is not here. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (/^[0-9a-f]{40}$/.test(revision)) return revision;
    const text = await readFile(join(this.#folder, 'refs', revision), 'utf8').catch(() => '');
    return /^[0-9a-f]{40}$/.test(text.trim()) ? text.trim() : undefined;
  }

  /** Where the files of a commit are. The folder may be missing, or hold some of them only. */
  snapshot(commit: string): string {
    return join(this.#folder, 'snapshots', commit);
  }

  /** Notes which commit a revision names. */
  async remember(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    const path = join(this.#folder, 'refs', revision);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, commit);
  }

  /**
   * The whole content of a file, checked against its digest: as it is here, or as `download` brings it. What an earlier download
   * left of it is kept, and `download` goes on from there.
   *
   * @param download appends the bytes from `from` on
   * @returns the path of the content
   * @throws HubError for a content of another digest, which is then removed; what `download` throws; the file system's errors
   */
  async content(
    { bytes, digest, path: name }: HubFile,
    download: (from: number, append: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
  ): Promise<string> {
    const path = join(this.#folder, 'blobs', digest.value);
    if (await hasDigest(path, bytes, digest)) return path;
    await mkdir(dirname(path), { recursive: true });
    const partial = await this.#adopt(path);
    const file = await open(partial, 'a');
    try {
      const { size } = await file.stat();
      if (size > bytes) await file.truncate(0);
      await download(size > bytes ? 0 : size, async (chunk) => {
        await file.writeFile(chunk);
      });
      await file.sync();
    } catch (error) {
      // An open file's errors do not say which file it is.
      throw isSystemError(error) ? Object.assign(error as Error, { path: partial }) : error;
    } finally {
      await file.close();
    }
    if (!(await hasDigest(partial, bytes, digest))) {
      await rm(partial, { force: true });
      throw new HubError(
        `${name} arrived damaged: its content does not have the digest that the Hub lists. Try again`,
      );
    }
    await rename(partial, path);
    return path;
  }

  /** Shows a content under its name, as other clients of the Hub look for it. */
  async link(commit: string, file: HubFile): Promise<void> {
    const path = join(this.snapshot(commit), file.path);
    await mkdir(dirname(path), { recursive: true });
    const target = relative(dirname(path), join(this.#folder, 'blobs', file.digest.value));
    await symlink(target, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }

  /**
   * A file of this process alone to download into: what a process that has ended left behind, or a new one. Of two processes that
   * want it, one can rename it.
   */
  async #adopt(path: string): Promise<string> {
    const own = `${path}.${process.pid}.incomplete`;
    const prefix = `${path.slice(dirname(path).length + 1)}.`;
    for (const name of await readdir(dirname(path))) {
      const [, pid] = name.startsWith(prefix)
        ? (/^\.([0-9]+)\.incomplete$/.exec(name.slice(prefix.length - 1)) ?? [])
        : [];
      if (pid === undefined || isAlive(Number(pid))) continue;
      const adopted = await rename(join(dirname(path), name), own).then(
        () => true,
        () => false,
      );
      if (adopted) break;
    }
    return own;
  }
}

/** False for a file that is missing, too. */
async function hasDigest(path: string, bytes: number, { kind, value }: HubDigest): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.size !== bytes) return false;
  const hash = createHash(kind === 'git' ? 'sha1' : 'sha256');
  // Git hashes a content behind its kind and size.
  if (kind === 'git') hash.update(`blob ${bytes}\0`);
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex') === value;
}
