import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { VerdictError } from '../errors.js';

/** Bytes that a body may have at most, compressed or not. */
export const maxBodyBytes = 8 * 2 ** 20;

/** What becomes of a body that is read whole. */
export interface BodySink {
  /** So many bytes of it wait here. */
  onHeldBytes(bytes: number): void;
  onBody(body: Buffer): void;
  /** It is too long, or not what its coding says. */
  onUnusable(error: VerdictError): void;
}

const decoders = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate };

/** The codings that bodies may come in, for the header `accept-encoding`. */
export const codings = 'gzip, deflate';

function isDecoded(coding: string): coding is keyof typeof decoders {
  return Object.hasOwn(decoders, coding);
}

function codingOf({ headers }: IncomingMessage): string {
  return (headers['content-encoding'] ?? 'identity').toLowerCase();
}

/** Whether a body comes as it is, or in a coding that is decoded here. */
export function isReadable(request: IncomingMessage): boolean {
  const coding = codingOf(request);
  return coding === 'identity' || isDecoded(coding);
}

/** How long a caller may go on sending what is not read, so that it gets to read the answer. */
const lingerMs = 2_000;

/**
 * Drops what is left of a body that nobody reads any more, so that the next request of the connection gets through. A caller that goes on
 * for long is cut off.
 */
export function discardRest(request: IncomingMessage): void {
  if (request.readableEnded) return;
  request.removeAllListeners('data').resume();
  if (request.complete) return;
  const timer = setTimeout(() => request.socket.destroy(), lingerMs);
  request.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
}

/** The body of a request, decompressed. A caller that breaks off is told of by its connection alone. */
export class RequestBody {
  readonly #request: IncomingMessage;
  #content: Readable | undefined;

  constructor(request: IncomingMessage) {
    this.#request = request;
  }

  /** What the body holds, a piece at a time. Where it is not what its coding says, the stream ends with an `error`. */
  get content(): Readable {
    this.#content ??= contentOf(this.#request);
    return this.#content;
  }

  /** Reads it into memory. */
  readWhole(sink: BodySink): void {
    if (Number(this.#request.headers['content-length']) > maxBodyBytes) {
      sink.onUnusable(bodyTooLarge());
      return;
    }
    const { content } = this;
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > maxBodyBytes) {
        stop();
        sink.onUnusable(bodyTooLarge());
        return;
      }
      chunks.push(chunk);
      sink.onHeldBytes(bytes);
    };
    const onEnd = (): void => {
      stop();
      sink.onBody(Buffer.concat(chunks));
    };
    const onError = (): void => {
      stop();
      sink.onUnusable(bodyDamaged());
    };
    const stop = (): void => {
      content.off('data', onData).off('end', onEnd).off('error', onError);
      content.pause();
    };
    content.on('data', onData).once('end', onEnd).once('error', onError);
  }

  /** Leaves what nobody reads any more ({@link discardRest}). */
  discard(): void {
    if (this.#content !== undefined && this.#content !== this.#request) {
      this.#request.unpipe();
      this.#content.destroy();
    }
    discardRest(this.#request);
  }
}

function contentOf(request: IncomingMessage): Readable {
  const coding = codingOf(request);
  if (!isDecoded(coding)) return request;
  const content = decoders[coding]();
  // What is wrong in a part that nobody reads harms nobody.
  content.on('error', () => {});
  request.once('close', () => {
    if (!request.complete) content.destroy();
  });
  return request.pipe(content);
}

/** The reason of errors that are 413 over HTTP. */
export const tooLarge = 'MESSAGE_TOO_LARGE';

function bodyTooLarge(): VerdictError {
  return new VerdictError('invalid_argument', `the body has more than ${maxBodyBytes} bytes`, {
    reason: tooLarge,
  });
}

/** The error of a body that is not what its coding says. */
export function bodyDamaged(): VerdictError {
  return new VerdictError(
    'invalid_argument',
    'the body cannot be decompressed: it is damaged, cut off or not in the coding that content-encoding says',
    { reason: 'MALFORMED_MESSAGE' },
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The JSON in a body.
 * @throws VerdictError invalid_argument, which quotes nothing
 */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    throw new VerdictError('invalid_argument', 'the body is not JSON in UTF-8', {
      reason: 'MALFORMED_MESSAGE',
    });
  }
}
