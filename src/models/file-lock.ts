import { randomBytes } from 'node:crypto';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** How often a lock that others hold is looked at. */
const LOOK_MS = 20;

export interface FileLockTimes {
  /** A lock that stays the same for so long was left by a process that was killed: a change takes milliseconds. */
  readonly abandonedMs: number;
  /** How long others are waited for. */
  readonly waitMs: number;
}

const TIMES: FileLockTimes = { abandonedMs: 5_000, waitMs: 15_000 };

/** Others hold the lock, or have taken it. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
}

/**
 * A file beside another one that is there while somebody changes that: of servers that share the folder, one at a time. The folder may lie on
 * another machine, so clocks are not compared: whoever waits measures how long the lock stays the same.
 *
 * For a change of milliseconds. Its holder never touches the lock, and hears by `check` that it was taken away before others see the
 * change. `sources/lock-file.ts` is for downloads of minutes: there the owner touches the lock, and may share it unawares.
 */
export class FileLock {
  readonly #path: string;
  readonly #lock: string;
  readonly #times: FileLockTimes;
  /** What the lock looks like that is held here. */
  #own: string | undefined;

  /** @param path of the file that is changed */
  constructor(path: string, times: FileLockTimes = TIMES) {
    this.#path = path;
    this.#lock = `${path}.lock`;
    this.#times = times;
  }

  /**
   * Runs a task while nobody else holds the lock.
   * @param signal gives up the wait
   * @throws what the task throws; LockedError if others have the lock for too long; the operating system's error if there can be no lock; the
   *   signal's reason
   */
  async hold<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#acquire(signal);
    try {
      return await task();
    } finally {
      if ((await looksOf(this.#lock)) === this.#own) await rm(this.#lock, { force: true }).catch(() => {});
      this.#own = undefined;
    }
  }

  /** To be asked before a step that others would see. @throws LockedError if others took the lock for abandoned */
  async check(): Promise<void> {
    if ((await looksOf(this.#lock)) !== this.#own)
      throw new LockedError('was changed by another server meanwhile');
  }

  async #acquire(signal?: AbortSignal): Promise<void> {
    const begun = performance.now();
    let last: string | undefined;
    let since = begun;
    for (;;) {
      signal?.throwIfAborted();
      this.#own = await this.#create();
      if (this.#own !== undefined) return;
      const now = performance.now();
      const found = await looksOf(this.#lock);
      if (found !== last) [last, since] = [found, now];
      else if (found !== undefined && now - since >= this.#times.abandonedMs) await this.#break(found);
      if (now - begun >= this.#times.waitMs) throw new LockedError('is being changed by other servers');
      // Not all who wait look at the same time.
      await delay(LOOK_MS * (0.5 + Math.random()), undefined, { signal }).catch(() => {});
    }
  }

  /** @returns what the lock looks like; undefined: somebody holds it @throws the operating system's error */
  async #create(): Promise<string | undefined> {
    try {
      const file = await open(this.#lock, 'wx');
      await file.close();
      return await looksOf(this.#lock);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined;
      throw error;
    }
  }

  /** Takes an abandoned lock away. Another who did the same may hold the next one already: that is put back. */
  async #break(abandoned: string): Promise<void> {
    const aside = `${this.#path}.${randomBytes(8).toString('hex')}.new`;
    try {
      await rename(this.#lock, aside);
    } catch {
      return;
    }
    if ((await looksOf(aside)) !== abandoned) await link(aside, this.#lock).catch(() => {});
    await rm(aside, { force: true, recursive: true }).catch(() => {});
  }
}

async function looksOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found && `${found.dev}:${found.ino} ${found.mtimeNs}`;
}
