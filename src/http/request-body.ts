import type { IncomingMessage } from 'node:http';
import { VerdictError } from '../errors.js';

/** Bytes that a body may have at most. */
export const maxBodyBytes = 8 * 2 ** 20;

/** What becomes of a body that is read whole. */
export interface BodySink {
  /** So many bytes of it wait here. */
  onHeldBytes(bytes: number): void;
  onBody(body: Buffer): void;
  /** It is longer than any may be. */
  onTooLarge(): void;
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

/** Reads a body into memory. A caller that breaks off is told of by its connection alone. */
export function readBody(request: IncomingMessage, sink: BodySink): void {
  if (Number(request.headers['content-length']) > maxBodyBytes) {
    sink.onTooLarge();
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) {
      stop();
      sink.onTooLarge();
      return;
    }
    chunks.push(chunk);
    sink.onHeldBytes(bytes);
  };
  const onEnd = (): void => {
    stop();
    sink.onBody(Buffer.concat(chunks));
  };
  const stop = (): void => {
    request.off('data', onData);
    request.off('end', onEnd);
    request.pause();
  };
  request.on('data', onData).once('end', onEnd);
}

/** The reason of errors that are 413 over HTTP. */
export const tooLarge = 'MESSAGE_TOO_LARGE';

/** The error of a body that is too large. */
export function bodyTooLarge(): VerdictError {
  return new VerdictError('invalid_argument', `the body has more than ${maxBodyBytes} bytes`, {
    reason: tooLarge,
  });
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
