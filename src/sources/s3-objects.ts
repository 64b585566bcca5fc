import type { GetObjectCommandOutput, HeadObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { boundedBody } from './bounded-body.js';
import type { DownloadDigest } from './download-folder.js';
import { s3InWords } from './s3-refusal.js';
import { RegistryError } from './source-error.js';

export interface S3Options {
  /** Of a server that speaks as S3 does, such as `http://minio:9000`. Undefined: as the SDK finds it, else Amazon's. */
  readonly endpoint: string | undefined;
  /** Undefined: as the SDK finds it. */
  readonly region: string | undefined;
  /** Time without a byte after which a transfer counts as cut, in milliseconds. Default: 30,000. */
  readonly stallMs?: number;
}

/** An object, as a listing shows it. */
export interface S3Object {
  readonly key: string;
  readonly bytes: number;
  /** Of this content. */
  readonly etag: string;
}

const MOST_OBJECTS = 10_000;
/** A page holds a thousand objects, and must not lead to another for ever. */
const MOST_PAGES = 100;
/** A page of a thousand keys of the greatest length is below this. */
const MOST_ANSWER_BYTES = 8 * 2 ** 20;
/** Of a request whose answer is short. */
const ANSWER_MS = 60_000;
/** Attempts in a row that bring no byte. */
const ATTEMPTS = 3;

/** The objects of one bucket. Credentials and retries are the SDK's. */
export class S3Objects {
  readonly #sdk: typeof import('@aws-sdk/client-s3');
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #asked: Parameters<typeof s3InWords>[1];
  readonly #signal: AbortSignal;
  readonly #stallMs: number;

  private constructor(
    sdk: typeof import('@aws-sdk/client-s3'),
    client: S3Client,
    place: { readonly source: string; readonly bucket: string },
    { endpoint, stallMs = 30_000 }: S3Options,
    signal: AbortSignal,
  ) {
    this.#sdk = sdk;
    this.#client = client;
    this.#bucket = place.bucket;
    this.#asked = { ...place, endpoint };
    this.#signal = signal;
    this.#stallMs = stallMs;
  }

  static async open(
    place: { readonly source: string; readonly bucket: string },
    options: S3Options,
    signal: AbortSignal,
  ): Promise<S3Objects> {
    const { endpoint, region, stallMs = 30_000 } = options;
    const sdk = await import('@aws-sdk/client-s3');
    const client = new sdk.S3Client({
      ...(region !== undefined && { region }),
      // Few other servers know a name for each bucket.
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      followRegionRedirects: endpoint === undefined,
      requestHandler: { connectionTimeout: 10_000, socketTimeout: stallMs },
    });
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        // What the SDK reads into memory: all but the content of an object.
        const { statusCode = 0, body } = result.response as { statusCode?: number; body?: unknown };
        const isContent = args.input !== undefined && 'Range' in args.input && statusCode < 300;
        const limited = isContent ? body : boundedBody(body, MOST_ANSWER_BYTES);
        return { ...result, response: Object.assign(result.response as object, { body: limited }) };
      },
      { step: 'deserialize', priority: 'low', name: 'boundAnswers' },
    );
    return new S3Objects(sdk, client, place, options, signal);
  }

  /** All objects whose keys begin with the prefix. @throws RegistryError in words; the signal's reason */
  async list(prefix: string): Promise<S3Object[]> {
    const objects: S3Object[] = [];
    let token: string | undefined;
    for (let pages = 1; ; pages++) {
      const page = await this.#ask((abortSignal) =>
        this.#client.send(
          new this.#sdk.ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: prefix,
            ...(token !== undefined && { ContinuationToken: token }),
          }),
          { abortSignal },
        ),
      );
      for (const { Key, Size, ETag } of page.Contents ?? []) {
        // Consoles show a folder for an empty object whose key ends with a slash.
        if (Key?.endsWith('/') && Size === 0) continue;
        const isGood =
          typeof Key === 'string' &&
          Key.startsWith(prefix) &&
          Number.isSafeInteger(Size) &&
          Number(Size) >= 0;
        if (!isGood || !ETag)
          throw new RegistryError(
            `${this.#asked.source}: an object is listed without a valid key, size or ETag`,
          );
        objects.push({ key: Key, bytes: Number(Size), etag: ETag });
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      if (objects.length > MOST_OBJECTS || (token !== undefined && pages === MOST_PAGES)) {
        throw new RegistryError(`${this.#asked.source} holds more than ${MOST_OBJECTS} objects`);
      }
      if (token === undefined) return objects;
    }
  }

  /** The digest that the server keeps of an object. @throws RegistryError in words; the signal's reason */
  async digestOf({ key, etag }: S3Object): Promise<DownloadDigest | undefined> {
    const head = await this.#ask((abortSignal) =>
      this.#client.send(
        new this.#sdk.HeadObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          IfMatch: etag,
          ChecksumMode: 'ENABLED',
        }),
        { abortSignal },
      ),
    );
    return digestIn(head);
  }

  /**
   * Reads an object from one of its bytes on. Goes on where a transfer was cut.
   * @throws RegistryError in words; what `onChunk` throws; the signal's reason
   */
  async read(object: S3Object, from: number, onChunk: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    let done = from;
    let unwritten: unknown;
    const write = (chunk: Uint8Array) =>
      onChunk(chunk).catch((error: unknown) => {
        unwritten = error;
        throw error;
      });
    for (let failures = 0; done < object.bytes; ) {
      const before = done;
      try {
        for await (const chunk of this.#content(object, done)) {
          if (done + chunk.length > object.bytes) {
            throw new RegistryError(
              `${this.#asked.source}: ${object.key} is longer than the ${object.bytes} bytes that are listed`,
            );
          }
          await write(chunk);
          done += chunk.length;
        }
      } catch (error) {
        this.#signal.throwIfAborted();
        if (error === unwritten) throw error;
        failures = done === before ? failures + 1 : 0;
        if (error instanceof RegistryError || isRefusal(error) || failures >= ATTEMPTS) {
          throw s3InWords(error, this.#asked);
        }
        continue;
      }
      if (done === before)
        throw new RegistryError(`${this.#asked.source}: ${object.key} ends after ${done} bytes`);
    }
  }

  async *#content({ key, bytes, etag }: S3Object, from: number): AsyncGenerator<Uint8Array> {
    const stalled = new AbortController();
    const timer = setTimeout(() => stalled.abort(), this.#stallMs);
    try {
      const { Body, ContentRange }: GetObjectCommandOutput = await this.#client.send(
        new this.#sdk.GetObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          IfMatch: etag,
          Range: `bytes=${from}-${bytes - 1}`,
        }),
        { abortSignal: AbortSignal.any([this.#signal, stalled.signal]) },
      );
      if (from > 0 && ContentRange?.startsWith(`bytes ${from}-`) !== true) {
        throw new RegistryError(`${this.#asked.source}: ${key} is not given from byte ${from} on`);
      }
      for await (const chunk of Body as unknown as AsyncIterable<Uint8Array>) {
        timer.refresh();
        yield chunk;
      }
    } finally {
      clearTimeout(timer);
      // What is left of the response is of no use.
      stalled.abort();
    }
  }

  async #ask<T>(request: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await request(AbortSignal.any([this.#signal, AbortSignal.timeout(ANSWER_MS)]));
    } catch (error) {
      this.#signal.throwIfAborted();
      throw s3InWords(error, this.#asked);
    }
  }
}

/**
 * An ETag is the MD5 digest of an object that was put in one part and that S3 encrypts with keys of its own, or not at all. The SHA-256
 * digest is of the whole object unless it counts its parts.
 */
function digestIn(head: HeadObjectCommandOutput): DownloadDigest | undefined {
  const { ChecksumSHA256: sha256 = '', ETag = '', ServerSideEncryption, SSECustomerAlgorithm } = head;
  if (/^[A-Za-z0-9+/]{43}=$/.test(sha256)) {
    return { kind: 'sha256', value: Buffer.from(sha256, 'base64').toString('hex') };
  }
  const [, md5] = /^"?([0-9a-f]{32})"?$/.exec(ETag) ?? [];
  const isMd5 =
    md5 !== undefined &&
    [undefined, 'AES256'].includes(ServerSideEncryption) &&
    SSECustomerAlgorithm === undefined;
  return isMd5 ? { kind: 'md5', value: md5 } : undefined;
}

/** The server has answered, and would answer the same. */
function isRefusal(error: unknown): boolean {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  return status !== undefined && status >= 300 && status < 500;
}
