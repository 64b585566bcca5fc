import type { AuthHooks, KeyFile } from './types.js';

/** What the file held at one look: its text, or why it cannot be read, as the end of a sentence that begins with "it". */
export type FileLook = { readonly content: string } | { readonly trouble: string };

/** What its text says: keys, or what is wrong, in sentences. */
export type KeyFileReading = { readonly file: KeyFile } | { readonly problems: readonly string[] };

export interface KeyWatchOptions {
  /** How problems name the file. */
  readonly name: string;
  look(): Promise<FileLook>;
  parse(content: string): Promise<KeyFileReading>;
  readonly hooks: Pick<AuthHooks, 'onKeysLoaded' | 'onKeysReloadFailed' | 'onKeysRestored'>;
}

const lookMs = 500;

/**
 * Reads the key file twice a second, and takes what it holds once that has been the same at two looks in a row: half of a YAML
 * file may be a valid one with fewer keys. It compares contents, so it does not matter how the file is replaced: a rename, a copy
 * over it, or a symbolic link that is swapped, as Kubernetes does.
 *
 * What cannot be used is never taken: the former keys stay, and the hooks are told once.
 */
export class KeyWatch {
  /** What the file held when it was opened. */
  readonly first: KeyFile;
  readonly #options: KeyWatchOptions;
  #inUse: string;
  #last: string;
  /** What was wrong at the last failure; undefined while all is well. */
  #failure: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(options: KeyWatchOptions, first: KeyFile, seen: string) {
    this.#options = options;
    this.first = first;
    this.#inUse = seen;
    this.#last = seen;
  }

  /** @throws Error with a sentence for each thing wrong */
  static async open(options: KeyWatchOptions): Promise<KeyWatch> {
    const look = await options.look();
    const reading = await read(look, options);
    if ('problems' in reading) throw new Error(reading.problems.join('\n'));
    options.hooks.onKeysLoaded?.(reading.file.keys.length);
    return new KeyWatch(options, reading.file, JSON.stringify(look));
  }

  /**
   * Looks from now on.
   * @param take is given the keys whenever they change
   */
  start(take: (file: KeyFile) => void): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.look(take).finally(() => this.start(take));
    }, lookMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Reads the file once. */
  async look(take: (file: KeyFile) => void): Promise<void> {
    const look = await this.#options.look();
    const seen = JSON.stringify(look);
    const isSettled = seen === this.#last;
    this.#last = seen;
    if (this.#isClosed || !isSettled) return;
    if (seen === this.#inUse) this.#recover();
    else if (this.#failure !== seen) await this.#read(look, seen, take);
  }

  async #read(look: FileLook, seen: string, take: (file: KeyFile) => void): Promise<void> {
    const { hooks } = this.#options;
    const reading = await read(look, this.#options);
    if (this.#isClosed) return;
    if ('problems' in reading) {
      this.#failure = seen;
      hooks.onKeysReloadFailed?.(reading.problems.join(' '));
      return;
    }
    this.#failure = undefined;
    this.#inUse = seen;
    take(reading.file);
    hooks.onKeysLoaded?.(reading.file.keys.length);
  }

  #recover(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#options.hooks.onKeysRestored?.();
  }
}

async function read(look: FileLook, options: KeyWatchOptions): Promise<KeyFileReading> {
  if ('trouble' in look) return { problems: [`${options.name}: it ${look.trouble}.`] };
  return options.parse(look.content);
}
