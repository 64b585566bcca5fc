import type { Readable } from 'node:stream';
import type { JsonValue } from '@bufbuild/protobuf';
import { VerdictError } from '../errors.js';
import { asVerdictError } from '../rpc/status.js';
import { bodyDamaged, parseJson, type RequestBody, tooLarge } from './request-body.js';

/** What becomes of the messages in a body. */
export interface MessageSink {
  onMessage(message: JsonValue): void;
  /** There is a message, but none that can be had. */
  onMalformed(error: VerdictError): void;
  /** There is none any more. */
  onLast(): void;
  /** The body cannot be used at all. */
  onUnusable(error: VerdictError): void;
  /** So many bytes of it wait here. */
  onHeldBytes(bytes: number): void;
}

/** The messages in the body of a request, one at a time. */
export interface MessageSource {
  /** Asks for one: `onMessage`, `onMalformed`, `onLast` or `onUnusable` follows, perhaps at once. */
  want(): void;
  /** None is wanted any more: the request is left alone from now on. */
  close(): void;
}

const noElements: readonly JsonValue[] = [];

/** A JSON array, which is read whole before its first element is given. */
export class ArraySource implements MessageSource {
  readonly #body: RequestBody;
  readonly #sink: MessageSink;
  #elements: Iterator<JsonValue> | undefined;

  constructor(body: RequestBody, sink: MessageSink) {
    this.#body = body;
    this.#sink = sink;
  }

  want(): void {
    if (this.#elements !== undefined) {
      this.#next(this.#elements);
      return;
    }
    this.#body.readWhole({
      onHeldBytes: (bytes) => this.#sink.onHeldBytes(bytes),
      onUnusable: (error) => this.#sink.onUnusable(error),
      onBody: (body) => {
        // It was closed meanwhile.
        if (this.#elements !== undefined) return;
        try {
          this.#elements = elementsIn(body);
        } catch (error) {
          this.#sink.onUnusable(asVerdictError(error));
          return;
        }
        this.#next(this.#elements);
      },
    });
  }

  close(): void {
    this.#elements = noElements.values();
  }

  #next(elements: Iterator<JsonValue>): void {
    const { done, value } = elements.next();
    if (done !== true) {
      this.#sink.onMessage(value);
      return;
    }
    this.#sink.onHeldBytes(0);
    this.#sink.onLast();
  }
}

/** @throws VerdictError invalid_argument */
function elementsIn(body: Buffer): Iterator<JsonValue> {
  const json: unknown = parseJson(body);
  if (!Array.isArray(json)) {
    throw new VerdictError('invalid_argument', 'the body is not a JSON array', {
      reason: 'MALFORMED_MESSAGE',
    });
  }
  return json.values();
}

const newline = 0x0a;

/** One JSON value a line, read as they are wanted: the body may be endless. */
export class LineSource implements MessageSource {
  readonly #content: Readable;
  readonly #sink: MessageSink;
  readonly #maxLineBytes: number;
  /** What has come and is not given yet. */
  #rest: Buffer = Buffer.alloc(0);
  /** Up to where no line ends in it. */
  #searched = 0;
  /** Bytes of blank lines since the last message. Compressed, a body of nothing else costs its caller next to nothing. */
  #blankBytes = 0;
  #wanted = false;
  #hasEnded = false;
  #isGiving = false;
  #isClosed = false;

  constructor({ content }: RequestBody, sink: MessageSink, maxLineBytes: number) {
    this.#content = content;
    this.#sink = sink;
    this.#maxLineBytes = maxLineBytes;
    content.on('data', (chunk: Buffer) => {
      this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
      this.#give();
    });
    content.once('end', () => {
      this.#hasEnded = true;
      this.#give();
    });
    content.once('error', () => {
      if (!this.#isClosed) this.#refuse(bodyDamaged());
    });
    content.pause();
  }

  want(): void {
    this.#wanted = true;
    this.#give();
  }

  close(): void {
    this.#isClosed = true;
    this.#wanted = false;
    this.#rest = Buffer.alloc(0);
  }

  /** A loop, since the next one is asked for from inside, as the end of the call may come from there. */
  #give(): void {
    if (this.#isGiving || this.#isClosed) return;
    this.#isGiving = true;
    while (this.#wanted) {
      this.#skipBlank();
      const line = this.#nextLine();
      if (line === undefined) break;
      this.#blankBytes = 0;
      this.#wanted = false;
      this.#sink.onHeldBytes(this.#rest.length);
      this.#giveLine(line);
    }
    this.#isGiving = false;
    if (this.#isClosed) return;
    if (!this.#wanted) this.#content.pause();
    else if (this.#hasEnded) {
      this.#wanted = false;
      this.#sink.onHeldBytes(0);
      this.#sink.onLast();
    } else if (this.#blankBytes + this.#rest.length > this.#maxLineBytes) {
      this.#refuse(lineTooLong(this.#maxLineBytes));
    } else {
      this.#sink.onHeldBytes(this.#rest.length);
      this.#content.resume();
    }
  }

  #refuse(error: VerdictError): void {
    this.#wanted = false;
    this.#content.pause();
    this.#sink.onUnusable(error);
  }

  #giveLine(line: Buffer): void {
    let message: JsonValue;
    try {
      message = parseJson(line) as JsonValue;
    } catch (error) {
      this.#sink.onMalformed(asVerdictError(error));
      return;
    }
    this.#sink.onMessage(message);
  }

  /** Drops blank lines, and blanks before a message: all at once, since there may be millions. */
  #skipBlank(): void {
    let end = 0;
    while (end < this.#rest.length && isBlank(this.#rest[end])) end++;
    this.#blankBytes += end;
    this.#rest = this.#rest.subarray(end);
  }

  /** The last line need not end. */
  #nextLine(): Buffer | undefined {
    const end = this.#rest.indexOf(newline, this.#searched);
    if (end < 0) {
      this.#searched = this.#rest.length;
      if (!this.#hasEnded || this.#rest.length === 0) return undefined;
    }
    const line = this.#rest.subarray(0, end < 0 ? this.#rest.length : end);
    this.#rest = this.#rest.subarray(end < 0 ? this.#rest.length : end + 1);
    this.#searched = 0;
    return line;
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === newline || byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

function lineTooLong(maxBytes: number): VerdictError {
  return new VerdictError(
    'invalid_argument',
    `a line of the body, or blank lines before it, have more than ${maxBytes} bytes`,
    {
      reason: tooLarge,
    },
  );
}
