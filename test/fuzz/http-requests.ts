import { Agent, type IncomingMessage, request } from 'node:http';
import type { Random } from '../../src/simulation/random.js';
import type { JsonValue } from '../support/json-value.js';
import { type HttpSpecimen, httpBodyOf, httpCorpus } from './http-corpus.js';
import { mutate } from './mutate.js';
import { mutateJson } from './mutate-json.js';

/** Longer than the server gives a request without a deadline, or the wait for a body: beyond it, the request hangs. */
const REQUEST_LIMIT_MS = 60_000;

/** Headers that the server reads, with a valid value each. */
const FIELDS = {
  'grpc-timeout': '10S',
  'x-envoy-expected-rq-timeout-ms': '10000',
  'verdict-class': 'bulk',
  'verdict-routing-key': 'somebody',
  'x-request-id': 'a-request',
  'content-type': 'application/x-ndjson',
  accept: 'text/event-stream',
  'content-encoding': 'identity',
  expect: '100-continue',
} as const;

/** Sends requests whose JSON, path or headers are mutated, over connections that are sound. */
export class FuzzedRequests {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string) {
    this.#url = url;
  }

  /** @returns the HTTP status; undefined: the connection ended without one. @throws Error for a request that hangs */
  send(random: Random): Promise<number | undefined> {
    const pick = <T>(of: readonly T[]): T =>
      of[Math.min(of.length - 1, Math.floor(random() * of.length))] as T;
    const [specimen, other] = [pick(httpCorpus), pick(httpCorpus)];
    const headers: Record<string, string> = { ...specimen.headers };
    if (random() < 0.2) {
      const [name, value] = pick(Object.entries(FIELDS));
      headers[name] = plain(mutate(Buffer.from(value), Buffer.from('0123456789'), random));
    }
    const path =
      random() < 0.15
        ? `/${plain(mutate(Buffer.from(specimen.path), Buffer.from(other.path), random))}`
        : specimen.path;
    const body = bodyOf(specimen, other, random);
    return this.#request({ ...specimen, path, headers }, random() < 0.5 ? piecesOf(body, random) : [body]);
  }

  close(): void {
    this.#agent.destroy();
  }

  #request({ method, path, headers }: HttpSpecimen, pieces: readonly Buffer[]): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      // Node.js itself writes one piece with its length, and several as chunks.
      const length = pieces.length === 1 ? { 'content-length': String(pieces[0]?.length) } : {};
      const call = request(`${this.#url}${path}`, {
        ...{ method, agent: this.#agent },
        headers: { ...headers, ...(method === 'POST' ? length : {}) },
      });
      const timer = setTimeout(() => {
        reject(new Error(`a request for ${method} ${path} hangs`));
        call.destroy();
      }, REQUEST_LIMIT_MS);
      let status: number | undefined;
      call.on('error', () => {});
      call.once('response', (response: IncomingMessage) => {
        status = response.statusCode;
        response.on('error', () => {});
        response.resume();
      });
      call.once('close', () => {
        clearTimeout(timer);
        resolve(status);
      });
      if (method === 'POST') for (const piece of pieces) call.write(piece);
      call.end();
    });
  }
}

/** Mutated as JSON, so that it gets past the parser, or as bytes. One in ten is sound. */
function bodyOf(specimen: HttpSpecimen, other: HttpSpecimen, random: Random): Buffer {
  const choice = random();
  if (choice < 0.1) return httpBodyOf(specimen);
  if (choice < 0.5) return mutate(httpBodyOf(specimen), httpBodyOf(other), random);
  const foreign = other.values[0] ?? null;
  const changed = Math.floor(random() * specimen.values.length);
  const values = specimen.values.map(
    (value, index): JsonValue => (index === changed ? mutateJson(value, foreign, random) : value),
  );
  return httpBodyOf({ ...specimen, values });
}

/** One to eight pieces: lines and characters are cut in two. */
export function piecesOf(body: Buffer, random: Random): Buffer[] {
  const cuts = Array.from({ length: Math.floor(random() * 8) }, () => Math.floor(random() * body.length));
  const ends = [...new Set([0, ...cuts, body.length])].sort((a, b) => a - b);
  return ends.slice(1).map((end, index) => body.subarray(ends[index], end));
}

/** Characters that Node.js agrees to send; others come by connections of their own. */
function plain(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll(/[^\x21-\x7e]/g, '');
}
