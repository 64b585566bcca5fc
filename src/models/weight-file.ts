import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { ModelLoadError } from './model-load-error.js';

/** What the file system says about a file's content without reading it. */
interface Identity {
  readonly inode: bigint;
  readonly size: bigint;
  readonly modifiedNs: bigint;
}

/**
 * A file that holds weights, as it was when its model began to load. Every new session opens the file again. If its content has
 * changed since, the session must not serve: the digest and the proof belong to the old content.
 */
export class WeightFile {
  readonly path: string;
  #identity: Identity;
  #digest: Promise<string> | undefined;

  private constructor(path: string, identity: Identity) {
    this.path = path;
    this.#identity = identity;
  }

  /** @throws ModelLoadError if the file cannot be read */
  static async record(path: string): Promise<WeightFile> {
    return new WeightFile(path, await identify(path));
  }

  /** SHA-256 of the content, as hexadecimal digits; computed once. @throws ModelLoadError if the content has changed */
  digest(): Promise<string> {
    this.#digest ??= this.#hash();
    return this.#digest;
  }

  /**
   * Call this after something has read the file. A file that only looks changed, because it was touched or copied again, is
   * compared by its content.
   * @throws ModelLoadError if the content has changed
   */
  async ensureUnchanged(): Promise<void> {
    const now = await identify(this.path);
    if (isSame(now, this.#identity)) return;
    const recorded = await this.#digest;
    if (recorded === undefined || (await hashOf(this.path)) !== recorded) throw changed(this.path);
    const after = await identify(this.path);
    if (!isSame(after, now)) throw changed(this.path);
    this.#identity = now;
  }

  async #hash(): Promise<string> {
    const digest = await hashOf(this.path);
    if (!isSame(await identify(this.path), this.#identity)) throw changed(this.path);
    return digest;
  }
}

async function identify(path: string): Promise<Identity> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return { inode: ino, size, modifiedNs: mtimeNs };
  } catch (error) {
    throw new ModelLoadError(path, 'cannot be read', error);
  }
}

function isSame(one: Identity, other: Identity): boolean {
  return one.inode === other.inode && one.size === other.size && one.modifiedNs === other.modifiedNs;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

function changed(path: string): ModelLoadError {
  return new ModelLoadError(
    path,
    'has changed since the model was loaded: reload the models to serve what it holds now',
  );
}
