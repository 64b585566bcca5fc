import type { JsonValue } from '@bufbuild/protobuf';
import { VerdictError } from '../errors.js';
import { ByteQueue } from '../rpc/byte-queue.js';
import { asVerdictError } from '../rpc/status.js';
import { parseJson, valuesIn } from './parse-json.js';
import { type RequestBody, tooLarge } from './request-body.js';

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

/** Values that an array may hold: 80,000 elements with some fields each. */
const maxArrayValues = 400_000;

/** What a value takes in memory, once it is parsed, besides the bytes of its text. */
const valueBytes = 64;

/** A JSON array, which is read whole before its first element is given. */
export class ArraySource implements MessageSource {
  readonly #body: RequestBody;
  readonly #sink: MessageSink;
  #elements: (JsonValue | undefined)[] | undefined;
  #given = 0;
  #bytesOfElement = 0;
  #isClosed = false;

  constructor(body: RequestBody, sink: MessageSink) {
    this.#body = body;
    this.#sink = sink;
  }

  want(): void {
    if (this.#isClosed) return;
    if (this.#elements !== undefined) {
      this.#next(this.#elements);
      return;
    }
    this.#body.readWhole({
      onHeldBytes: (bytes) => this.#sink.onHeldBytes(bytes),
      onUnusable: (error) => this.#sink.onUnusable(error),
      onBody: (body) => {
        if (this.#isClosed) return;
        try {
          this.#elements = elementsIn(body);
          const bytes = body.length + valueBytes * valuesIn(body);
          this.#bytesOfElement = bytes / Math.max(1, this.#elements.length);
          // The server may hold too much with them, and close this.
          this.#sink.onHeldBytes(bytes);
        } catch (error) {
          this.#sink.onUnusable(asVerdictError(error));
          return;
        }
        if (!this.#isClosed) this.#next(this.#elements);
      },
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#elements = undefined;
  }

  /** Lets go of each element as it is given: a stream may stand still for long before its last. */
  #next(elements: (JsonValue | undefined)[]): void {
    const element = elements[this.#given];
    if (element === undefined) {
      this.#sink.onHeldBytes(0);
      this.#sink.onLast();
      return;
    }
    elements[this.#given++] = undefined;
    this.#sink.onHeldBytes(Math.ceil((elements.length - this.#given) * this.#bytesOfElement));
    if (!this.#isClosed) this.#sink.onMessage(element);
  }
}

/** @throws VerdictError invalid_argument */
function elementsIn(body: Buffer): JsonValue[] {
  const json: unknown = parseJson(body, maxArrayValues);
  if (!Array.isArray(json)) {
    throw new VerdictError('invalid_argument', 'the body is not a JSON array', {
      reason: 'MALFORMED_MESSAGE',
    });
  }
  return json;
}

const newline = 0x0a;

/** One JSON value a line, read as they are wanted: the body may be endless. */
export class LineSource implements MessageSource {
  readonly #body: RequestBody;
  readonly #sink: MessageSink;
  readonly #maxLineBytes: number;
  /** What has come and is not given yet. */
  readonly #rest = new ByteQueue();
  /** Up to where no line ends in it. */
  #searched = 0;
  /** Bytes of blank lines since the last message. Compressed, a body of nothing else costs its caller next to nothing. */
  #blankBytes = 0;
  #hasBegun = false;
  #wanted = false;
  #hasEnded = false;
  #isGiving = false;
  #isClosed = false;

  constructor(body: RequestBody, sink: MessageSink, maxLineBytes: number) {
    this.#body = body;
    this.#sink = sink;
    this.#maxLineBytes = maxLineBytes;
  }

  want(): void {
    this.#wanted = true;
    if (!this.#hasBegun) this.#begin();
    this.#give();
  }

  close(): void {
    this.#isClosed = true;
    this.#wanted = false;
    this.#rest.clear();
  }

  #begin(): void {
    this.#hasBegun = true;
    this.#body.read({
      onData: (chunk) => {
        if (this.#isClosed) return;
        this.#rest.append(chunk);
        this.#give();
      },
      onEnd: () => {
        this.#hasEnded = true;
        this.#give();
      },
      onUnusable: (error) => {
        if (!this.#isClosed) this.#refuse(error);
      },
    });
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
      this.#sink.onHeldBytes(this.#rest.heldBytes);
      this.#giveLine(line);
    }
    this.#isGiving = false;
    if (this.#isClosed) return;
    this.#rest.keep();
    if (!this.#wanted) this.#body.pause();
    else if (this.#hasEnded) {
      this.#wanted = false;
      this.#sink.onHeldBytes(0);
      this.#sink.onLast();
    } else if (this.#blankBytes + this.#rest.size > this.#maxLineBytes) {
      this.#refuse(lineTooLong(this.#maxLineBytes));
    } else {
      this.#sink.onHeldBytes(this.#rest.heldBytes);
      this.#body.resume();
    }
  }

  #refuse(error: VerdictError): void {
    this.#wanted = false;
    this.#body.pause();
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
    while (end < this.#rest.size && isBlank(this.#rest.at(end))) end++;
    this.#blankBytes += end;
    this.#rest.skip(end);
  }

  /** The last line need not end. */
  #nextLine(): Buffer | undefined {
    const end = this.#rest.indexOf(newline, this.#searched);
    if (end < 0) {
      this.#searched = this.#rest.size;
      if (!this.#hasEnded || this.#rest.size === 0) return undefined;
    }
    const line = this.#rest.take(end < 0 ? this.#rest.size : end);
    if (end >= 0) this.#rest.skip(1);
    this.#searched = 0;
    return line;
  }
}

function isBlank(byte: number): boolean {
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
