import { createHash } from 'node:crypto';
import { type Credentials, type FileTrouble, type ForEachFile, readCredentials } from './credentials.js';
import { fileContent } from './file-content.js';
import type { TlsHooks } from './types.js';

export interface CredentialWatchOptions {
  readonly paths: ForEachFile<string>;
  /** The settings that name the files, as users know them. */
  readonly settings: ForEachFile<string>;
  readonly hooks: TlsHooks;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Credentials that change while the server runs. */
export interface CredentialSource {
  readonly current: Credentials;
  onChange(listener: (credentials: Credentials) => void): void;
}

const files = ['cert', 'key', 'clientCa'] as const;

const lookMs = 1_000;

/** What the files held at one look. */
interface Look {
  readonly digest: string;
  readonly outcome: Credentials | { readonly troubles: readonly FileTrouble[] };
}

/**
 * Reads the files again and again, and takes what they hold once it has been the same at two looks in a row: whoever
 * replaces several files, or writes one in pieces, gets time to finish. It compares contents, so it does not matter how
 * they are replaced: a symbolic link that is swapped, as Kubernetes does, a rename, or a copy over the file.
 *
 * What is of no use is never taken: the former credentials stay, and the hooks are told once.
 */
export class CredentialWatch implements CredentialSource {
  readonly #options: CredentialWatchOptions;
  readonly #now: () => number;
  readonly #listeners: ((credentials: Credentials) => void)[] = [];
  #current: Credentials;
  #currentDigest: string;
  #lastDigest: string;
  /** What was wrong at the last failure; undefined while all is well. */
  #failure: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(
    options: CredentialWatchOptions,
    now: () => number,
    credentials: Credentials,
    digest: string,
  ) {
    this.#options = options;
    this.#now = now;
    this.#current = credentials;
    this.#currentDigest = digest;
    this.#lastDigest = digest;
  }

  /** @throws Error with a sentence for each file that is of no use */
  static async open(options: CredentialWatchOptions): Promise<CredentialWatch> {
    const { hooks, now = () => Date.now() } = options;
    const { digest, outcome } = await look(options.paths, now());
    if ('troubles' in outcome) throw new Error(sentences(options, outcome.troubles));
    hooks.onLoaded?.(outcome);
    return new CredentialWatch(options, now, outcome, digest);
  }

  get current(): Credentials {
    return this.#current;
  }

  onChange(listener: (credentials: Credentials) => void): void {
    this.#listeners.push(listener);
  }

  /** Looks once a second from now on. */
  start(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.look().finally(() => this.start());
    }, lookMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Reads the files once. */
  async look(): Promise<void> {
    const { digest, outcome } = await look(this.#options.paths, this.#now());
    const isSettled = digest === this.#lastDigest;
    this.#lastDigest = digest;
    if (this.#isClosed || !isSettled) return;
    if (digest === this.#currentDigest) this.#recover();
    else if ('troubles' in outcome) this.#fail(sentences(this.#options, outcome.troubles));
    else this.#take(outcome, digest);
  }

  #take(credentials: Credentials, digest: string): void {
    this.#current = credentials;
    this.#currentDigest = digest;
    this.#failure = undefined;
    for (const listener of this.#listeners) listener(credentials);
    this.#options.hooks.onLoaded?.(credentials);
  }

  #fail(trouble: string): void {
    if (trouble === this.#failure) return;
    this.#failure = trouble;
    this.#options.hooks.onReloadFailed?.(trouble);
  }

  #recover(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#options.hooks.onRestored?.();
  }
}

async function look(paths: ForEachFile<string>, now: number): Promise<Look> {
  const { cert, key, clientCa } = paths;
  const read = await Promise.all([
    fileContent(cert),
    fileContent(key),
    clientCa === undefined ? { content: undefined } : fileContent(clientCa),
  ]);
  const digest = createHash('sha256').update(JSON.stringify(read)).digest('base64');
  const troubles = read.flatMap((one, at) => {
    const file = files[at];
    return 'trouble' in one && file !== undefined ? [{ file, trouble: one.trouble }] : [];
  });
  const [certRead, keyRead, caRead] = read;
  if ('trouble' in certRead || 'trouble' in keyRead || 'trouble' in caRead)
    return { digest, outcome: { troubles } };
  const pem = { cert: certRead.content, key: keyRead.content, clientCa: caRead.content };
  return { digest, outcome: readCredentials(pem, now) };
}

function sentences(
  { paths, settings }: Pick<CredentialWatchOptions, 'paths' | 'settings'>,
  troubles: readonly FileTrouble[],
): string {
  return troubles
    .map(({ file, trouble }) => `${settings[file]} is ${JSON.stringify(paths[file])}: it ${trouble}.`)
    .join(' ');
}
