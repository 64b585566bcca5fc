import { folderIdentity } from './folder-identity.js';
import type { ModelRepository } from './repository.js';

export interface RepositoryWatchOptions {
  /** What the folder looks like now. Two looks that agree saw the same. Must not reject. */
  readonly look: () => Promise<string>;
  /** What the folder holds has changed, and has stayed the same since the look before. Must not reject. */
  readonly onChange: () => Promise<void>;
  readonly intervalMs: number;
}

/**
 * Looks at the models folder again and again, and tells of a change once two looks in a row have seen the same: somebody may be in
 * the middle of a copy. What was told once is not told again, whatever came of it.
 */
export class RepositoryWatch {
  readonly #options: RepositoryWatchOptions;
  #told: string | undefined;
  #last: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RepositoryWatchOptions) {
    this.#options = options;
  }

  /** Takes what the folder holds now for known. Call this before it is read: what changes while it is read is a change. */
  async open(): Promise<void> {
    this.#told = await this.#options.look();
    this.#last = this.#told;
  }

  /** Looks from now on. */
  start(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.look().finally(() => this.start());
    }, this.#options.intervalMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Looks once. */
  async look(): Promise<void> {
    const seen = await this.#options.look();
    const isSettled = seen === this.#last;
    this.#last = seen;
    if (this.#isClosed || !isSettled || seen === this.#told) return;
    this.#told = seen;
    await this.#options.onChange();
  }
}

/**
 * What a models folder looks like: the versions that would be loaded and their files, or what is wrong with it.
 * @param find as a reload would
 */
export async function repositoryIdentity(find: () => Promise<ModelRepository>): Promise<string> {
  const words = (error: unknown) => (error instanceof Error ? error.message : String(error));
  try {
    const { locations, broken } = await find();
    const looks = await Promise.all(
      locations.map(async ({ name, version, directory: path }) => [
        name,
        version,
        await folderIdentity(path).catch(words),
      ]),
    );
    return JSON.stringify([looks, broken.map(({ name, error }) => [name, words(error)])]);
  } catch (error) {
    return words(error);
  }
}
