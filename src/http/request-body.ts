import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { VerdictError } from '../errors.js';
import { ByteQueue } from '../rpc/byte-queue.js';
import { freeInflatedBytes } from '../rpc/inbound-messages.js';
import { leastOfSlices } from '../rpc/inflater.js';

/** Bytes that a body may have at most, decompressed. */
export const maxBodyBytes = 8 * 2 ** 20;

export interface BodyLimits {
  /** Whether bodies may come compressed. */
  readonly compression: boolean;
  /** How many times its size a compressed body may become. The first 64 KiB are free. */
  readonly maxCompressionRatio: number;
}

/** What becomes of a body that is read as it comes. */
export interface BodyReader {
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** It is not what its coding says, or inflates too far. Nothing comes after it. */
  onUnusable(error: VerdictError): void;
}

/** What becomes of a body that is read whole. */
export interface BodySink {
  /** So many bytes of memory are taken by it. */
  onHeldBytes(bytes: number): void;
  onBody(body: Buffer): void;
  /** It is too long, or not what its coding says. */
  onUnusable(error: VerdictError): void;
}

const decoders = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate };

/** Compressed bytes that may be under way without having become anything yet. */
const slackBytes = 128 * 1024;

/** The codings that bodies may come in, for the header `accept-encoding`. */
export function acceptedCodings({ compression }: BodyLimits): string {
  return compression ? 'gzip, deflate' : 'identity';
}

function isDecoded(coding: string): coding is keyof typeof decoders {
  return Object.hasOwn(decoders, coding);
}

function codingOf({ headers }: IncomingMessage): string {
  return (headers['content-encoding'] ?? 'identity').toLowerCase();
}

/** Whether a body comes as it is, or in a coding that is decoded here. */
export function isReadable(request: IncomingMessage, { compression }: BodyLimits): boolean {
  const coding = codingOf(request);
  return coding === 'identity' || (compression && isDecoded(coding));
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

/**
 * The body of a request, decompressed. Nothing is read before it is asked for, and a caller who waits for leave to send gets it then. A caller that breaks off is told of by its connection alone.
 */
export class RequestBody {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #maxRatio: number;
  #content: Readable | undefined;
  #compressedBytes = 0;
  #inflatedBytes = 0;
  #isOver = false;
  #isDiscarded = false;

  constructor(request: IncomingMessage, response: ServerResponse, { maxCompressionRatio }: BodyLimits) {
    this.#request = request;
    this.#response = response;
    this.#maxRatio = maxCompressionRatio;
  }

  /** Gives what it holds, a piece at a time, until it is paused. Called once. */
  read(reader: BodyReader): void {
    // Any other expectation has been refused. HTTP/1.0 has none, and would take this for the answer.
    if (this.#request.headers.expect !== undefined && this.#request.httpVersion !== '1.0')
      this.#response.writeContinue();
    const coding = codingOf(this.#request);
    const content = isDecoded(coding) ? this.#inflate(coding, reader) : this.#request;
    this.#content = content;
    content.on('data', (chunk: Buffer) => {
      if (this.#isOver) return;
      this.#inflatedBytes += chunk.length;
      if (content !== this.#request && this.#inflatesTooFar())
        this.#end(reader, inflatesTooFar(this.#maxRatio));
      else reader.onData(chunk);
    });
    content.once('end', () => {
      if (!this.#isOver) reader.onEnd();
    });
  }

  pause(): void {
    this.#content?.pause();
  }

  resume(): void {
    this.#content?.resume();
  }

  /** Reads it into memory. Called once, in place of `read`. */
  readWhole(sink: BodySink): void {
    const length = Number(this.#request.headers['content-length'] ?? 0);
    if (length > maxBodyBytes) {
      sink.onUnusable(bodyTooLarge());
      return;
    }
    const isCoded = isDecoded(codingOf(this.#request));
    // However small the pieces are that a caller sends, they take one piece of memory.
    const bytes = new ByteQueue();
    const reader: BodyReader = {
      onData: (chunk) => {
        if (bytes.size + chunk.length > maxBodyBytes) {
          this.#end(reader, bodyTooLarge());
          return;
        }
        bytes.append(chunk, isCoded ? 0 : length);
        sink.onHeldBytes(bytes.heldBytes);
      },
      onEnd: () => sink.onBody(bytes.take(bytes.size)),
      onUnusable: (error) => sink.onUnusable(error),
    };
    this.read(reader);
  }

  /** Leaves what nobody reads any more ({@link discardRest}): also what has come, and is being inflated. */
  discard(): void {
    if (this.#isDiscarded) return;
    this.#isDiscarded = true;
    this.#isOver = true;
    if (this.#content !== undefined && this.#content !== this.#request) {
      this.#request.unpipe();
      this.#content.destroy();
    }
    discardRest(this.#request);
  }

  #inflate(coding: keyof typeof decoders, reader: BodyReader): Readable {
    const request = this.#request;
    const decoder = decoders[coding]();
    decoder.on('error', () => this.#end(reader, bodyDamaged()));
    request.once('close', () => {
      if (!request.complete) decoder.destroy();
    });
    request.on('data', (chunk: Buffer) => {
      this.#compressedBytes += chunk.length;
      if (this.#inflatedBytes < leastOfSlices * (this.#compressedBytes - slackBytes))
        this.#end(reader, bodyDamaged());
    });
    return request.pipe(decoder);
  }

  #inflatesTooFar(): boolean {
    return this.#inflatedBytes > Math.max(freeInflatedBytes, this.#maxRatio * this.#compressedBytes);
  }

  #end(reader: BodyReader, error: VerdictError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.pause();
    reader.onUnusable(error);
  }
}

/** The reason of errors that are 413 over HTTP. */
export const tooLarge = 'MESSAGE_TOO_LARGE';

function bodyTooLarge(): VerdictError {
  return new VerdictError('invalid_argument', `the body has more than ${maxBodyBytes} bytes`, {
    reason: tooLarge,
  });
}

function inflatesTooFar(maxRatio: number): VerdictError {
  return new VerdictError('invalid_argument', `the body inflates to more than ${maxRatio} times its size`, {
    reason: tooLarge,
  });
}

function bodyDamaged(): VerdictError {
  return new VerdictError(
    'invalid_argument',
    'the body cannot be decompressed: it is damaged, cut off or not in the coding that content-encoding says',
    { reason: 'MALFORMED_MESSAGE' },
  );
}
