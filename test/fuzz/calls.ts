import { type ClientHttp2Session, connect } from 'node:http2';
import type { Random } from '../../src/simulation/random.js';
import { bodyOf, corpus } from './corpus.js';
import { mutate } from './mutate.js';

const CALLS_PER_CONNECTION = 500;
/** Longer than the server gives a call that has no deadline: beyond it, the call hangs. */
const CALL_LIMIT_MS = 60_000;
/** A connection on which nothing happens for this long has no calls any more. */
const IDLE_MS = 1_000;

/** Metadata that the server reads, with a valid value each. */
const FIELDS = {
  'grpc-timeout': '10S',
  'grpc-encoding': 'gzip',
  'grpc-accept-encoding': 'identity,gzip',
  'verdict-class': 'bulk',
  'x-request-id': 'a-request',
  'content-type': 'application/grpc+proto',
} as const;

/** Sends calls whose messages, frames or metadata are mutated, over connections that are sound. */
export class FuzzedCalls {
  readonly #port: number;
  #session: ClientHttp2Session | undefined;
  #calls = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** @returns the gRPC code of the call; undefined: the server ended it without one. @throws Error for a call that hangs */
  async send(random: Random): Promise<number | undefined> {
    const pick = <T>(of: readonly T[]): T =>
      of[Math.min(of.length - 1, Math.floor(random() * of.length))] as T;
    const [specimen, other] = [pick(corpus), pick(corpus)];
    const compressed = random() < 0.2;
    const [body, foreign] = [bodyOf(specimen, compressed), bodyOf(other, false)];
    const fields: Record<string, string> = compressed ? { 'grpc-encoding': 'gzip' } : {};
    if (random() < 0.2) {
      const [name, value] = pick(Object.entries(FIELDS));
      // Characters that a client may send; others, Node.js would refuse to.
      const text = mutate(Buffer.from(value), Buffer.from('0123456789'), random).toString('latin1');
      fields[name] = text.replaceAll(/[^\x21-\x7e]/g, '');
    }
    return this.#call(specimen.path, fields, random() < 0.1 ? body : mutateBody(body, foreign, random));
  }

  close(): void {
    this.#session?.destroy();
  }

  #call(path: string, fields: Readonly<Record<string, string>>, body: Buffer): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const head = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
      const stream = this.#open().request({ ...head, ...fields });
      const timer = setTimeout(() => reject(new Error(`a call of ${path} hangs`)), CALL_LIMIT_MS);
      let code: number | undefined;
      const read = (received: { readonly 'grpc-status'?: unknown }) => {
        if (received['grpc-status'] !== undefined) code = Number(received['grpc-status']);
      };
      stream.on('error', () => {});
      stream.on('response', read);
      stream.on('trailers', read);
      const ended = () => {
        clearTimeout(timer);
        resolve(code);
      };
      stream.once('close', ended);
      stream.once('aborted', ended);
      stream.resume();
      stream.end(body);
    });
  }

  #open(): ClientHttp2Session {
    this.#calls++;
    const usable = this.#session !== undefined && !this.#session.closed && !this.#session.destroyed;
    if (usable && this.#session !== undefined && this.#calls % CALLS_PER_CONNECTION !== 0)
      return this.#session;
    // Calls that are open end first: close() would refuse those that have not been sent yet.
    const former = this.#session;
    former?.setTimeout(IDLE_MS, () => former.destroy());
    const session = connect(`http://127.0.0.1:${this.#port}`);
    session.on('error', () => {});
    session.setMaxListeners(0);
    this.#session = session;
    return session;
  }
}

/** The messages, or the five bytes in front of one: a change anywhere would rarely hit those. */
function mutateBody(body: Buffer, foreign: Buffer, random: Random): Buffer {
  if (random() < 0.7) return mutate(body, foreign, random);
  return Buffer.concat([mutate(body.subarray(0, 5), foreign, random), body.subarray(5)]);
}
