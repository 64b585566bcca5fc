import { setTimeout as delay } from 'node:timers/promises';
import { authorization, type MlflowCredentials } from './mlflow-credentials.js';
import { MlflowStatusError, mlflowInWords } from './mlflow-refusal.js';
import { RegistryError, UnusableSourceError } from './source-error.js';

export interface MlflowOptions {
  /** The address of the server, such as `https://mlflow.example.com`. Undefined: none is set. */
  readonly trackingUri: string | undefined;
  /** Sent to that server alone. */
  readonly credentials: MlflowCredentials | undefined;
  /** Time without a byte after which a transfer counts as cut, in milliseconds. Default: 30,000. */
  readonly stallMs?: number;
  /** The wait before a second attempt, in milliseconds; doubled for each further one. Default: 1,000. */
  readonly backoffMs?: number;
}

/** Attempts in a row that bring no byte. */
const ATTEMPTS = 4;
/** Who has to wait for longer than this gets to know instead. */
const LONGEST_WAIT_MS = 60_000;
const MOST_REDIRECTS = 3;
const MOST_JSON_BYTES = 8 * 2 ** 20;
/** Of a request whose answer is short. */
const ANSWER_MS = 60_000;

/** Asks an MLflow server, again where an answer is cut or the server is busy. */
export class MlflowClient {
  readonly endpoint: string;
  readonly #options: MlflowOptions;
  readonly #signal: AbortSignal;

  /** @throws SourceError for an address that is none */
  constructor(options: MlflowOptions, signal: AbortSignal) {
    this.endpoint = checkedEndpoint(options.trackingUri);
    this.#options = options;
    this.#signal = signal;
  }

  /**
   * The object that a request of the REST API answers.
   * @param path below `/api/2.0/`, such as `mlflow/runs/get`
   * @param what for messages: what is asked for
   * @throws RegistryError in words; the signal's reason
   */
  ask(path: string, query: Readonly<Record<string, string>>, what: string): Promise<Record<string, unknown>> {
    return this.#retry(what, async () => {
      const response = await this.#fetch(path, query, { signal: AbortSignal.timeout(ANSWER_MS) });
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of bodyOf(response)) {
        bytes += chunk.length;
        if (bytes > MOST_JSON_BYTES) {
          throw new RegistryError(`${this.endpoint}: an answer is longer than ${MOST_JSON_BYTES} bytes`);
        }
        chunks.push(chunk);
      }
      const value = parsed(Buffer.concat(chunks).toString('utf8'));
      if (value === undefined) {
        throw new RegistryError(`${this.endpoint} does not answer as an MLflow server does`);
      }
      return value;
    });
  }

  /**
   * Reads a file from one of its bytes on. Goes on where a transfer was cut.
   * @param file its path below `/api/2.0/`, and how many bytes it is listed with
   * @throws RegistryError in words; what `onChunk` throws; the signal's reason
   */
  async read(
    { path, bytes, what }: { readonly path: string; readonly bytes: number; readonly what: string },
    from: number,
    onChunk: (chunk: Uint8Array) => Promise<void>,
  ): Promise<void> {
    let done = from;
    while (done < bytes) {
      const before = done;
      let unwritten: unknown;
      await this.#retry(
        what,
        async () => {
          try {
            for await (const chunk of this.#content(path, done)) {
              if (done + chunk.length > bytes) {
                throw new RegistryError(`${what} is longer than the ${bytes} bytes that are listed`);
              }
              await onChunk(chunk).catch((error: unknown) => {
                unwritten = error;
                throw error;
              });
              done += chunk.length;
            }
          } catch (error) {
            // A cut after some bytes is no failed attempt: the next one goes on from here.
            if (error instanceof RegistryError || unwritten !== undefined || done === before) throw error;
          }
        },
        (error) => error === unwritten,
      );
      if (done === before) throw new RegistryError(`${what} ends after ${done} of ${bytes} bytes`);
    }
  }

  async *#content(path: string, from: number): AsyncGenerator<Uint8Array> {
    const stalled = new AbortController();
    const timer = setTimeout(
      () => stalled.abort(new DOMException('no byte', 'TimeoutError')),
      this.#options.stallMs ?? 30_000,
    );
    try {
      const headers = { range: `bytes=${from}-` };
      const response = await this.#fetch(path, {}, { signal: stalled.signal, headers });
      const range = response.headers.get('content-range');
      // A server that knows no ranges sends all of it.
      let skip = response.status === 206 ? 0 : from;
      if (response.status === 206 && range?.startsWith(`bytes ${from}-`) !== true) {
        throw new RegistryError(`${this.endpoint} gives another range than it was asked for`);
      }
      for await (const chunk of bodyOf(response)) {
        timer.refresh();
        const rest = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - rest.length;
        if (rest.length > 0) yield rest;
      }
    } finally {
      clearTimeout(timer);
      // What is left of the response is of no use.
      stalled.abort();
    }
  }

  async #fetch(
    path: string,
    query: Readonly<Record<string, string>>,
    { signal, headers = {} }: { readonly signal: AbortSignal; readonly headers?: Record<string, string> },
  ): Promise<Response> {
    let url = new URL(`${this.endpoint}/api/2.0/${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    for (let redirects = 0; ; redirects++) {
      const response = await fetch(url, {
        headers: { ...headers, ...authorization(this.#options.credentials), 'accept-encoding': 'identity' },
        redirect: 'manual',
        signal: AbortSignal.any([this.#signal, signal]),
      });
      if (response.ok) return response;
      const location = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || location === null) {
        throw await MlflowStatusError.of(response);
      }
      await response.body?.cancel();
      const next = URL.canParse(location, url.href) ? new URL(location, url.href) : undefined;
      if (next?.origin !== url.origin || redirects === MOST_REDIRECTS) {
        throw new RegistryError(
          `${this.endpoint} redirects elsewhere: set MLFLOW_TRACKING_URI to where the server is`,
        );
      }
      url = next;
    }
  }

  async #retry<T>(
    what: string,
    attempt: () => Promise<T>,
    isFinal: (error: unknown) => boolean = () => false,
  ): Promise<T> {
    for (let failures = 1; ; failures++) {
      this.#signal.throwIfAborted();
      try {
        return await attempt();
      } catch (error) {
        this.#signal.throwIfAborted();
        if (isFinal(error)) throw error;
        const waitMs = this.#waitFor(error, failures);
        if (waitMs === undefined) {
          throw mlflowInWords(error, { what, endpoint: this.endpoint, ...this.#options });
        }
        await delay(waitMs, undefined, { signal: this.#signal });
      }
    }
  }

  /** How long to wait before the next attempt; undefined: there is no use in one. */
  #waitFor(error: unknown, failures: number): number | undefined {
    if (error instanceof RegistryError || failures >= ATTEMPTS) return undefined;
    const backoff = (this.#options.backoffMs ?? 1_000) * 2 ** (failures - 1);
    if (!(error instanceof MlflowStatusError)) return backoff;
    if (error.status !== 429 && error.status !== 408 && error.status < 500) return undefined;
    const { retryAfterMs = backoff } = error;
    return retryAfterMs > LONGEST_WAIT_MS ? undefined : Math.max(backoff, retryAfterMs);
  }
}

function checkedEndpoint(uri: string | undefined): string {
  if (uri === undefined)
    throw new UnusableSourceError('mlflow:// needs the address of a server: set MLFLOW_TRACKING_URI');
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '') {
    throw new UnusableSourceError(
      'MLFLOW_TRACKING_URI must be an http or https address without credentials: they belong into MLFLOW_TRACKING_TOKEN, or ' +
        'MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD',
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

async function* bodyOf({ body }: Response): AsyncGenerator<Uint8Array> {
  if (body !== null) yield* body as unknown as AsyncIterable<Uint8Array>;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
