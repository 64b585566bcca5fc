import { createHash } from 'node:crypto';
import { type S3Object, S3Objects, type S3Options } from './s3-objects.js';
import { isSafePath } from './safe-path.js';
import { RegistryError, SourceError, UnusableSourceError } from './source-error.js';
import type { CopyOptions, ModelSource, Origin, SourceFile } from './types.js';

export type { S3Options } from './s3-objects.js';

const PREFIX = 's3://';
const REFERENCE = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^\p{Cc}]{0,1024}))?$/u;

/** A model in a bucket of S3, or of a server that speaks as S3 does: the objects below a prefix. */
export class S3Source implements ModelSource {
  readonly shortName: string;
  readonly origin: Origin;
  readonly files: readonly SourceFile[];
  readonly #objects: S3Objects;
  readonly #byPath: ReadonlyMap<string, S3Object>;

  private constructor(
    readonly name: string,
    objects: S3Objects,
    byPath: ReadonlyMap<string, S3Object>,
  ) {
    this.#objects = objects;
    this.#byPath = byPath;
    this.files = [...byPath].map(([path, { bytes }]) => ({ path, bytes }));
    this.shortName = S3Source.shortNameOf(name);
    this.origin = { revision: revisionOf(byPath) };
  }

  /** Whether a source is one of S3. */
  static isMeant(source: string): boolean {
    return source.startsWith(PREFIX);
  }

  /** What a source is called in the last part of its name. */
  static shortNameOf(reference: string): string {
    const source = reference.replace(/\/+$/, '');
    return source.slice(source.lastIndexOf('/') + 1);
  }

  /**
   * @param reference `s3://bucket`, or `s3://bucket/prefix`
   * @throws SourceError for another reference; RegistryError in words; the signal's reason
   */
  static async open(reference: string, options: S3Options, signal: AbortSignal): Promise<S3Source> {
    const source = reference.replace(/\/+$/, '');
    const [, bucket, prefix = ''] = REFERENCE.exec(source) ?? [];
    if (bucket === undefined || (prefix !== '' && !isSafePath(prefix))) {
      throw new UnusableSourceError(`"${reference}" must read s3://bucket or s3://bucket/prefix`);
    }
    checkEndpoint(options.endpoint);
    const objects = await S3Objects.open({ source, bucket }, options, signal);
    const below = prefix === '' ? '' : `${prefix}/`;
    const listed = await objects.list(below);
    if (listed.length === 0) throw new RegistryError(`${source} holds no objects`);
    const byPath = new Map<string, S3Object>();
    for (const object of listed) {
      const path = object.key.slice(below.length);
      if (!isSafePath(path)) throw new RegistryError(`${source}: an object's key is no path of a file`);
      byPath.set(path, object);
    }
    return new S3Source(source, objects, byPath);
  }

  async copy({ path }: SourceFile, target: string, options: CopyOptions): Promise<void> {
    const object = this.#byPath.get(path);
    if (object === undefined) throw new SourceError(`${this.name} holds no ${path}`);
    const { signal, downloads, onProgress } = options;
    const digest = await this.#objects.digestOf(object);
    const name = `${this.name}/${path}`;
    const identity = [this.name, path, object.etag];
    const { bytes } = object;
    await downloads.bring({ name, identity, bytes, digest }, target, signal, async (from, write) => {
      let done = from;
      await this.#objects.read(object, from, async (chunk) => {
        await write(chunk);
        done += chunk.length;
        if (done < bytes) onProgress(done);
      });
    });
    onProgress(bytes);
  }
}

function checkEndpoint(endpoint: string | undefined): void {
  if (endpoint === undefined) return;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '') {
    throw new UnusableSourceError('AWS_ENDPOINT_URL must be an http or https address without credentials');
  }
}

/** Changes with any object below the prefix. */
function revisionOf(byPath: ReadonlyMap<string, S3Object>): string {
  const facts = [...byPath].map(([path, { bytes, etag }]) => [path, bytes, etag]);
  const sorted = facts.sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}
