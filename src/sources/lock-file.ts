import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const TOUCH_MS = 3_000;
/** Nobody has touched it for so long: its owner is gone. */
const STALE_MS = 15_000;
const POLL_MS = 200;

export interface LockOptions {
  readonly signal: AbortSignal;
  /** Another process holds it. Told once. */
  readonly onWait?: () => void;
  readonly staleMs?: number;
}

/**
 * A file that one process at a time holds, on any file system and across containers, where process ids say nothing: the owner touches
 * it, and whoever waits takes it over once it stays untouched. An owner that was stopped for longer than that shares it without
 * knowing, so what it guards must bear two, as a rule of thrift and not of safety.
 *
 * For downloads, which take minutes. `models/file-lock.ts` promises more, for a change of milliseconds: before others see the change, its
 * holder hears that the lock was taken away. A download would have to ask before each of its writes.
 */
export class LockFile {
  readonly #path: string;
  readonly #owner: string;
  readonly #timer: NodeJS.Timeout;

  private constructor(path: string, owner: string) {
    this.#path = path;
    this.#owner = owner;
    this.#timer = setInterval(() => void this.#touch(), TOUCH_MS).unref();
  }

  /** Waits until it is free. @throws the signal's reason; the file system's errors */
  static async acquire(path: string, { signal, onWait, staleMs = STALE_MS }: LockOptions): Promise<LockFile> {
    const owner = randomUUID();
    let seen = '';
    let since = performance.now();
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      if (await create(path, owner)) return new LockFile(path, owner);
      const look = await lookAt(path);
      if (look !== seen) {
        seen = look;
        since = performance.now();
      } else if (performance.now() - since > staleMs) await takeAway(path, seen);
      if (attempt === 1) onWait?.();
      await delay(POLL_MS, undefined, { signal });
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    if (await this.#isOwn()) await rm(this.#path, { force: true });
  }

  async #touch(): Promise<void> {
    const now = new Date();
    if (await this.#isOwn()) await utimes(this.#path, now, now).catch(() => undefined);
  }

  /** Not if another has taken it over. */
  async #isOwn(): Promise<boolean> {
    return (await readFile(this.#path, 'utf8').catch(() => '')) === this.#owner;
  }
}

/** False where another has it. */
async function create(path: string, owner: string): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'wx');
    try {
      await file.writeFile(owner);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    // The folder may go with the last lock in it, between the two steps.
    if (['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** Differs for each owner, and each time that it is touched. Empty: it is free now. */
async function lookAt(path: string): Promise<string> {
  try {
    const { mtimeMs } = await stat(path);
    return `${await readFile(path, 'utf8')} ${mtimeMs}`;
  } catch {
    return '';
  }
}

/** Of those who find it stale, one can rename it; the others find it new, or free. */
async function takeAway(path: string, seen: string): Promise<void> {
  if ((await lookAt(path)) !== seen) return;
  const aside = `${path}.${randomUUID()}`;
  await rename(path, aside).catch(() => undefined);
  await rm(aside, { force: true });
}
