import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { isAlive } from './is-alive.js';

/** Hidden, so that a server that starts meanwhile passes it over. */
const PREFIX = '.adding-';
/** What another machine left behind: whether its process lives cannot be seen from here. */
const FOREIGN_LIFETIME_MS = 24 * 3_600_000;

/**
 * A hidden folder in the models folder, in which a version is put together. It becomes visible as a whole or not at all: a
 * process that is killed leaves a hidden folder, which the next one removes.
 */
export class Staging {
  /** Those of this process that are in use. */
  static readonly #open = new Set<string>();

  readonly #modelsDir: string;
  readonly #path: string;

  private constructor(modelsDir: string, path: string) {
    this.#modelsDir = modelsDir;
    this.#path = path;
  }

  /** @throws the file system's error, where the models folder cannot be made or written to */
  static async open(modelsDir: string): Promise<Staging> {
    await mkdir(modelsDir, { recursive: true });
    await removeAbandoned(modelsDir, (name) => Staging.#open.has(name));
    const name = `${PREFIX}${safeHostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
    await mkdir(join(modelsDir, name));
    Staging.#open.add(name);
    return new Staging(modelsDir, join(modelsDir, name));
  }

  /** Where the version is put together: a folder `<model>/<version>`, as if it were in the models folder. */
  folder(model: string): string {
    return join(this.#path, model, '1');
  }

  /**
   * Moves the version into the models folder, as the next one of its model. All its files are on the disk by then.
   * @returns the folder it is in
   */
  async publish(model: string): Promise<string> {
    const from = this.folder(model);
    await syncAll(from);
    const home = join(this.#modelsDir, model);
    for (;;) {
      const version = await nextVersion(home);
      const target = join(home, String(version));
      try {
        // A model comes with its version: a folder without one would count as broken.
        if (await isAbsentOrEmpty(home)) await rename(join(this.#path, model), home);
        else await rename(from, target);
        await sync(home);
        await sync(this.#modelsDir);
        return target;
      } catch (error) {
        // Another process has taken this version meanwhile.
        if (!isTaken(error)) throw error;
      }
    }
  }

  /** Removes what has not been published. */
  async discard(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
    Staging.#open.delete(basename(this.#path));
  }
}

async function nextVersion(home: string): Promise<number> {
  const names = await readdir(home).catch((): string[] => []);
  const versions = names.filter((name) => /^[0-9]{1,9}$/.test(name)).map(Number);
  return Math.max(0, ...versions) + 1;
}

async function isAbsentOrEmpty(folder: string): Promise<boolean> {
  return (await readdir(folder).catch((): string[] => [])).length === 0;
}

function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
}

async function removeAbandoned(modelsDir: string, isOpen: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(modelsDir)) {
    if (!name.startsWith(PREFIX) || isOpen(name)) continue;
    const path = join(modelsDir, name);
    if (await isAbandoned(name, path)) await rm(path, { recursive: true, force: true });
  }
}

async function isAbandoned(name: string, path: string): Promise<boolean> {
  const [, host, pid] = /^\.adding-(.*)-([0-9]+)-[0-9a-f]+$/.exec(name) ?? [];
  if (host === safeHostname()) return !isAlive(Number(pid));
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > FOREIGN_LIFETIME_MS;
}

function safeHostname(): string {
  return hostname().replaceAll(/[^A-Za-z0-9.-]/g, '_');
}

async function syncAll(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncAll(path);
    else await sync(path);
  }
  await sync(folder);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
