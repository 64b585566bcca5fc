import { setTimeout as delay } from 'node:timers/promises';
import { downloadFile, listFiles, modelInfo } from '@huggingface/hub';
import { isSystemError } from '../errors/system-trouble.js';
import { type HubFile, listed } from './hub-file.js';
import { HubStatusError, inWords } from './hub-refusal.js';
import { HubError } from './source-error.js';

export interface HubClientOptions {
  /** Such as `https://huggingface.co`. */
  readonly endpoint: string;
  /** Sent to the endpoint alone, never to where it redirects. */
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  /** Time without a byte after which a transfer counts as cut, in milliseconds. Default: 30,000. */
  readonly stallMs?: number;
  /** Waits before a further attempt; a test makes them short. */
  readonly backoffMs?: number;
}

const COMMIT = /^[0-9a-f]{40}$/;
/** Attempts in a row that bring no byte. */
const ATTEMPTS = 5;
/** The Hub's limits last five minutes at most: who has to wait for longer than this gets to know instead. */
const LONGEST_WAIT_MS = 60_000;
const MOST_FILES = 10_000;
/** Of one attempt: a listing names its next page, and must not do so for ever. */
const MOST_REQUESTS = 100;
/** A page of the listing holds a thousand files at most. */
const MOST_JSON_BYTES = 16 * 2 ** 20;

/** Asks the Hub, again where an answer is cut or the Hub is busy. Not for serving: models are on the disk by then. */
export class HubClient {
  readonly #options: HubClientOptions;
  readonly #backoffMs: number;

  constructor(options: HubClientOptions) {
    this.#options = options;
    this.#backoffMs = options.backoffMs ?? 1_000;
  }

  /** The commit that a branch, a tag or a commit names. @throws HubError in words; the signal's reason */
  commitOf(repo: string, revision: string): Promise<string> {
    return this.#retry(repo, async (fetch) => {
      const { sha } = await modelInfo({
        ...this.#common(fetch),
        name: repo,
        revision,
        additionalFields: ['sha'],
      });
      if (!COMMIT.test(String(sha)))
        throw new HubError(`${this.#options.endpoint} names no commit for ${repo}`);
      return String(sha);
    });
  }

  /** @throws HubError in words; the signal's reason */
  filesOf(repo: string, commit: string): Promise<HubFile[]> {
    return this.#retry(repo, async (fetch) => {
      const files: HubFile[] = [];
      for await (const entry of listFiles({
        ...this.#common(fetch),
        repo,
        revision: commit,
        recursive: true,
      })) {
        if (entry.type === 'file') files.push(listed(entry, repo));
        if (files.length > MOST_FILES) throw new HubError(`${repo} holds more than ${MOST_FILES} files`);
      }
      return files;
    });
  }

  /**
   * Reads a file from one of its bytes on. Goes on where a transfer was cut.
   * @param from bytes that are there already
   * @throws HubError in words; what `onChunk` throws; the signal's reason
   */
  async read(
    { repo, commit, file }: { readonly repo: string; readonly commit: string; readonly file: HubFile },
    from: number,
    onChunk: (chunk: Uint8Array) => Promise<void>,
  ): Promise<void> {
    let done = from;
    while (done < file.bytes) {
      const before = done;
      await this.#retry(repo, async (fetch) => {
        const blob = await downloadFile({
          ...this.#common(fetch),
          repo,
          path: file.path,
          revision: commit,
          // By plain HTTP, which the Hub offers for every file, a transfer goes on at any byte.
          xet: false,
        });
        if (blob === null) throw new HubStatusError(404, 'EntryNotFound', undefined);
        const rest = done === 0 ? blob : blob.slice(done, file.bytes);
        try {
          for await (const chunk of rest.stream() as unknown as AsyncIterable<Uint8Array>) {
            if (done + chunk.length > file.bytes) {
              throw new HubError(
                `${repo}: ${file.path} is longer than the ${file.bytes} bytes that the Hub lists`,
              );
            }
            await onChunk(chunk);
            done += chunk.length;
          }
        } catch (error) {
          // A cut after some bytes is no failed attempt: the next one goes on from here.
          if (error instanceof HubError || isSystemError(error) || done === before) throw error;
        }
      });
      if (done === before)
        throw new HubError(`${repo}: ${file.path} ends after ${done} of ${file.bytes} bytes`);
    }
  }

  #common(fetch: typeof globalThis.fetch) {
    return { hubUrl: this.#options.endpoint, fetch };
  }

  async #retry<T>(repo: string, attempt: (fetch: typeof globalThis.fetch) => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    for (let failures = 1; ; failures++) {
      signal.throwIfAborted();
      const request = new AbortController();
      let refusal: HubStatusError | undefined;
      const onRefusal = (error: HubStatusError) => {
        refusal = error;
      };
      try {
        return await attempt(this.#fetchFor(request, onRefusal));
      } catch (error) {
        signal.throwIfAborted();
        if (isSystemError(error)) throw error;
        // Of an error within a download, the library passes on the message alone.
        const cause = refusal ?? error;
        const waitMs = this.#waitFor(cause, failures);
        if (waitMs === undefined) throw inWords(cause, { repo, ...this.#options });
        await delay(waitMs, undefined, { signal });
      } finally {
        // What is left of its responses is of no use.
        request.abort();
      }
    }
  }

  /** How long to wait before the next attempt; undefined: there is no use in one. */
  #waitFor(error: unknown, failures: number): number | undefined {
    if (error instanceof HubError || failures >= ATTEMPTS) return undefined;
    const backoff = this.#backoffMs * 2 ** (failures - 1);
    if (!(error instanceof HubStatusError)) return backoff;
    if (error.status !== 429 && error.status !== 408 && error.status < 500) return undefined;
    const { retryAfterMs = backoff } = error;
    return retryAfterMs > LONGEST_WAIT_MS ? undefined : Math.max(backoff, retryAfterMs);
  }

  /** `fetch` with the token, the limits, and errors of our own: the library's name addresses, which may be signed. */
  #fetchFor(request: AbortController, onRefusal: (error: HubStatusError) => void): typeof globalThis.fetch {
    const { endpoint, token, signal, stallMs = 30_000 } = this.#options;
    let requests = 0;
    return async (input, init) => {
      if (++requests > MOST_REQUESTS)
        throw new HubError(`${endpoint} takes more than ${MOST_REQUESTS} requests`);
      const url = new URL(input instanceof Request ? input.url : input);
      const headers = new Headers(init?.headers);
      if (token !== undefined && url.origin === new URL(endpoint).origin) {
        headers.set('authorization', `Bearer ${token}`);
      }
      const stalled = new AbortController();
      const timer = setTimeout(() => stalled.abort(new Error(`no byte for ${stallMs} ms`)), stallMs);
      const signals = AbortSignal.any([signal, request.signal, stalled.signal]);
      signals.addEventListener('abort', () => clearTimeout(timer), { once: true });
      const response = await fetch(url, { ...init, headers, signal: signals });
      timer.refresh();
      if (!response.ok) {
        const { status, headers: told } = response;
        const refusal = HubStatusError.of(status, told);
        onRefusal(refusal);
        throw refusal;
      }
      const goesOn = /^bytes=[1-9]/.test(headers.get('range') ?? '');
      if (goesOn && response.status !== 206) throw new Error('a range was asked for, and not given');
      const limit = url.pathname.includes('/api/') ? MOST_JSON_BYTES : Number.POSITIVE_INFINITY;
      return new Response(watched(response, timer, limit), response);
    };
  }
}

/** The body of a response, whose every chunk starts the timer anew. */
function watched(
  { body }: Response,
  timer: NodeJS.Timeout,
  limit: number,
): ReadableStream<Uint8Array> | null {
  if (body === null) clearTimeout(timer);
  let bytes = 0;
  return (
    body?.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          timer.refresh();
          bytes += chunk.length;
          if (bytes > limit) throw new HubError(`the Hub's answer is longer than ${limit} bytes`);
          controller.enqueue(chunk);
        },
        flush: () => clearTimeout(timer),
      }),
    ) ?? null
  );
}
