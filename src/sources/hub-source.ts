import { constants, copyFile } from 'node:fs/promises';
import { FolderSource } from './folder-source.js';
import { HubCache } from './hub-cache.js';
import { HubClient, type HubClientOptions } from './hub-client.js';
import type { HubFile } from './hub-file.js';
import { HubError, SourceError, UnusableSourceError } from './source-error.js';
import type { CopyOptions, ModelSource, Origin, SourceFile } from './types.js';

export interface HubOptions extends Omit<HubClientOptions, 'signal'> {
  /** The folder of the Hub's cache. */
  readonly cacheDir: string;
  /** Never asks the Hub: what the cache holds has to do. */
  readonly offline: boolean;
}

const PREFIX = 'hf://';
const REFERENCE =
  /^hf:\/\/((?:[A-Za-z0-9][\w.-]{0,95}\/)?[A-Za-z0-9][\w.-]{0,95})(?:@([A-Za-z0-9][\w./-]{0,254}))?$/;

/** A model in a repository of the Hugging Face Hub, at one commit of it. */
export class HubSource implements ModelSource {
  readonly shortName: string;
  readonly origin: Origin;
  readonly files: readonly SourceFile[];
  readonly #client: HubClient;
  readonly #cache: HubCache;
  readonly #repo: string;
  readonly #commit: string;
  readonly #files: ReadonlyMap<string, HubFile>;

  private constructor(
    readonly name: string,
    commit: string,
    {
      client,
      cache,
      repo,
      files,
    }: { client: HubClient; cache: HubCache; repo: string; files: readonly HubFile[] },
  ) {
    this.origin = { commit };
    this.#commit = commit;
    this.#client = client;
    this.#cache = cache;
    this.#repo = repo;
    this.#files = new Map(files.map((file) => [file.path, file]));
    this.files = files;
    this.shortName = shortNameOf(repo);
  }

  /** Whether a source is one of the Hub. */
  static isMeant(source: string): boolean {
    return source.startsWith(PREFIX);
  }

  /** What a source is called in the last part of its name; undefined: the reference is none. */
  static shortNameOf(reference: string): string | undefined {
    const [, repo] = REFERENCE.exec(reference) ?? [];
    return repo === undefined ? undefined : shortNameOf(repo);
  }

  /**
   * @param reference `hf://org/name`, or `hf://org/name@revision`
   * @throws SourceError for another reference; HubError in words; the signal's reason
   */
  static async open(reference: string, options: HubOptions, signal: AbortSignal): Promise<ModelSource> {
    const [, repo, revision = 'main'] = REFERENCE.exec(reference) ?? [];
    if (repo === undefined || revision.includes('..')) {
      throw new UnusableSourceError(`"${reference}" must read hf://org/name or hf://org/name@revision`);
    }
    const cache = new HubCache(options.cacheDir, repo);
    if (options.offline) return openCached(reference, cache, repo, revision);
    const client = new HubClient({ ...options, endpoint: checkedEndpoint(options.endpoint), signal });
    const commit = await client.commitOf(repo, revision);
    const files = await client.filesOf(repo, commit);
    await cache.remember(revision, commit);
    return new HubSource(reference, commit, { client, cache, repo, files });
  }

  async copy({ path }: SourceFile, target: string, { signal, onProgress }: CopyOptions): Promise<void> {
    const file = this.#files.get(path);
    if (file === undefined) throw new SourceError(`${this.name} holds no ${path}`);
    let told = -1;
    const tell = (bytes: number) => {
      if (bytes !== told) onProgress(bytes);
      told = bytes;
    };
    const content = await this.#cache.content(file, async (from, append) => {
      let done = from;
      tell(done);
      await this.#client.read({ repo: this.#repo, commit: this.#commit, file }, from, async (chunk) => {
        await append(chunk);
        done += chunk.length;
        tell(done);
      });
    });
    signal.throwIfAborted();
    await this.#cache.link(this.#commit, file);
    await copyFile(content, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    tell(file.bytes);
  }
}

function checkedEndpoint(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '') {
    throw new UnusableSourceError('HF_ENDPOINT must be an http or https address without credentials');
  }
  return endpoint.replace(/\/+$/, '');
}

async function openCached(
  reference: string,
  cache: HubCache,
  repo: string,
  revision: string,
): Promise<ModelSource> {
  const commit = await cache.commitOf(revision);
  if (commit !== undefined) {
    const names = { name: reference, shortName: shortNameOf(repo), origin: { commit } };
    const found = await FolderSource.open(cache.snapshot(commit), names).catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new HubError(`the Hub's cache does not hold ${reference}, and HF_HUB_OFFLINE is set`);
}

function shortNameOf(repo: string): string {
  return repo.slice(repo.lastIndexOf('/') + 1);
}
