import type { ServerHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import { ByteQueue } from './byte-queue.js';
import type { Encoding, Inflater } from './inflater.js';

/** A flag and a length of 32 bits stand before every gRPC message. */
const headerBytes = 5;

/** Why a message is refused before it is decoded. */
export type MessageProblem =
  /** Its length prefix says more than the method takes. */
  | { readonly kind: 'too-large'; readonly bytes: number }
  /** It would become longer than the method takes, or grow by more than the ratio. `body` is still compressed. */
  | { readonly kind: 'inflates-too-much'; readonly body: Buffer; readonly encoding: Encoding }
  /** It is compressed, and in no way that the server takes. */
  | { readonly kind: 'encoding' }
  /** The frame or the compression is broken. */
  | { readonly kind: 'malformed' };

/** Who the messages are for. Called one at a time, each after a `want`. */
export interface MessageSink {
  onMessageBytes(bytes: Buffer): void;
  /** The caller sends nothing more. */
  onHalfClose(): void;
  /** A message can not be had. The call has to end; nothing follows. */
  onMessageProblem(problem: MessageProblem): void;
  /** The bytes that wait here are now so many. */
  onHeldBytes(bytes: number): void;
}

export interface InboundLimits {
  /** Bytes of one message, inflated. */
  readonly maxMessageBytes: number;
  /** How many bytes of a message may come of one compressed byte. */
  readonly maxRatio: number;
  /** Whether compressed messages are taken at all. */
  readonly compression: boolean;
}

/** Up to this size a message may be inflated to, whatever it was before: ratios of short messages say nothing. */
export const freeInflatedBytes = 64 * 1024;

/** What streams have whose messages come whole, each in a chunk of its own: nothing is ever put into it. */
const noQueue = new ByteQueue();

function nothing(): void {}

const inboundKey = Symbol('inbound messages');

type TakenStream = ServerHttp2Stream & { [inboundKey]?: InboundMessages | undefined };

/** Whether Node has put the end behind what it buffers. It shows that by itself only once all of it is read. */
function hasEnded(stream: ServerHttp2Stream): boolean {
  const state: unknown = Reflect.get(stream, '_readableState');
  return typeof state === 'object' && state !== null && Reflect.get(state, 'ended') === true;
}

/** In the place of `push` of a taken stream: its bytes and its end come here, and false stops Node from reading on. */
function pushToMessages(this: TakenStream, chunk: Buffer | null): boolean {
  const messages = this[inboundKey];
  if (messages !== undefined) return messages.onChunk(chunk);
  // What comes after the call is dropped, but for the end, which the stream has to hear of.
  if (chunk === null) Readable.prototype.push.call(this, null);
  return true;
}

/**
 * The gRPC messages of one HTTP/2 stream, one at a time: the next one is cut out, inflated and handed over when it is
 * wanted, and while none is wanted the bytes that come stay unacknowledged, so that no more of them come than HTTP/2's
 * window.
 *
 * It stands between Node and grpc-js, which would inflate and decode all messages of a frame at once, wanted or not
 * (docs/adr/0010). Node hands each DATA frame to the stream's `push`, and gives the peer new window only while that
 * returns true; this class is that `push`. The readable side of the stream only ever sees the end.
 */
export class InboundMessages {
  readonly #stream: TakenStream;
  readonly #sink: MessageSink;
  readonly #limits: InboundLimits;
  readonly #inflater: Inflater;
  readonly #encoding: string;
  readonly #inflatesAs: object;
  #queue = noQueue;
  #wanted = false;
  #pumping = false;
  /** The bytes that are being inflated, or wait for it. */
  #inflatingBytes = 0;
  #cancelInflating = nothing;
  /** Node was told to stop reading. So it is before the first message is wanted, too. */
  #paused = true;
  /** The caller has half-closed. */
  #ended = false;
  #closed = false;
  #toldBytes = 0;
  #received = 0;

  /** @param encoding of `grpc-encoding`; any text of the caller's */
  constructor(
    stream: ServerHttp2Stream,
    options: {
      readonly sink: MessageSink;
      readonly limits: InboundLimits;
      readonly inflater: Inflater;
      readonly encoding: string;
      /** Who its messages are inflated for: messages of one wait for each other. */
      readonly inflatesAs: object;
    },
  ) {
    this.#stream = stream;
    this.#sink = options.sink;
    this.#limits = options.limits;
    this.#inflater = options.inflater;
    this.#encoding = options.encoding;
    this.#inflatesAs = options.inflatesAs;
    this.#stream[inboundKey] = this;
    stream.push = pushToMessages;
    // Over TLS a read may bring the body with the head, and Node has it all in before anybody hears of the stream.
    if (stream.readableLength > 0) {
      // grpc-js would hear of what is read here.
      stream.removeAllListeners('data');
      this.#queue = new ByteQueue();
      this.#queue.append(stream.read());
      this.#queue.keep();
    }
    // Then the end has come already, before anybody could hear of it.
    if (stream.endAfterHeaders || hasEnded(stream)) {
      this.#ended = true;
      stream.resume();
    }
  }

  /** Messages handed over. */
  get received(): number {
    return this.#received;
  }

  /** Whether the caller has half-closed, and all before that was handed over. */
  get ended(): boolean {
    return this.#ended && this.#queue.size === 0;
  }

  /** Whether a message has begun to arrive, is wanted, and is not complete. */
  get partial(): boolean {
    return this.#wanted && this.#queue.size > 0 && !this.#isInflating;
  }

  /** Bytes that wait here. */
  get heldBytes(): number {
    return this.#queue.heldBytes + this.#inflatingBytes;
  }

  get #isInflating(): boolean {
    return this.#inflatingBytes > 0;
  }

  /** Asks for one message, or the half-close. It may be handed over before this returns. */
  want(): void {
    this.#wanted = true;
    if (this.#pumping) return;
    this.#pump();
    this.#readOn();
  }

  /** Nothing is wanted any more: what waits is dropped, and what still comes is, too. */
  close(): void {
    this.#closed = true;
    this.#wanted = false;
    this.#cancelInflating();
    this.#inflatingBytes = 0;
    this.#queue.clear();
    this.#tell();
    if (this.#paused && !this.#ended) this.#resume();
  }

  /** Lets go of the stream after `close`: Node keeps what a stream leads to until a full collection. */
  leave(): void {
    this.#stream[inboundKey] = undefined;
  }

  /** A chunk of the body, or null for its end. Returns whether more may come. */
  onChunk(chunk: Buffer | null): boolean {
    if (chunk === null) {
      this.#onEnd();
      return false;
    }
    if (this.#closed) return true;
    if (!this.#isOneMessage(chunk)) this.#onPieces(chunk);
    else {
      this.#pumping = true;
      this.#deliver(chunk.subarray(headerBytes));
      this.#pumping = false;
    }
    this.#paused = !(this.#wanted || this.#closed) || this.#isInflating;
    return !this.#paused;
  }

  /** Whether the chunk is what it is nearly always: the message that is wanted, whole, as it is, and no more. */
  #isOneMessage(chunk: Buffer): boolean {
    const length = chunk.length - headerBytes;
    return (
      this.#wanted &&
      this.#queue.size === 0 &&
      !this.#isInflating &&
      length >= 0 &&
      length <= this.#limits.maxMessageBytes &&
      chunk[0] === 0 &&
      chunk.readUInt32BE(1) === length
    );
  }

  #onPieces(chunk: Buffer): void {
    if (this.#queue === noQueue) this.#queue = new ByteQueue();
    this.#queue.append(chunk, this.#expectedBytes());
    this.#pump();
    if (this.#queue.size > 0) this.#queue.keep();
    this.#tell();
  }

  #onEnd(): void {
    // The stream itself has to hear of it, or it would never be destroyed.
    Readable.prototype.push.call(this.#stream, null);
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.resume();
    // The end of a stream that was reset is no half-close.
    if (!this.#closed && !this.#stream.closed) this.#pump();
  }

  /** Has Node go on where what is there was not enough. */
  #readOn(): void {
    if (this.#wanted && this.#paused && !this.#ended && !this.#isInflating) this.#resume();
  }

  #resume(): void {
    this.#paused = false;
    this.#stream._read(0);
  }

  #tell(): void {
    const bytes = this.#inflatingBytes + (this.#queue.size === 0 ? 0 : this.#queue.heldBytes);
    if (bytes === this.#toldBytes) return;
    this.#toldBytes = bytes;
    this.#sink.onHeldBytes(bytes);
  }

  /** What the queue will hold when the message that is arriving is complete; 0 where that is not known. */
  #expectedBytes(): number {
    return this.#queue.size < headerBytes ? 0 : headerBytes + this.#queue.uint32At(1);
  }

  /** Hands over while something is wanted and there. A loop, since the sink asks for the next one from inside. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#wanted && !this.#isInflating && !this.#closed && this.#handOver());
    this.#pumping = false;
    if (this.#toldBytes > 0 || this.#queue.size > 0 || this.#isInflating) this.#tell();
  }

  /** Returns whether there was something to hand over. */
  #handOver(): boolean {
    const queue = this.#queue;
    if (queue.size >= headerBytes) {
      const flag = queue.at(0);
      const length = queue.uint32At(1);
      if (length > this.#limits.maxMessageBytes) return this.#fail({ kind: 'too-large', bytes: length });
      if (flag > 1) return this.#fail({ kind: 'malformed' });
      if (queue.size >= headerBytes + length) {
        queue.skip(headerBytes);
        const body = queue.take(length);
        if (flag === 1) return this.#inflate(body);
        this.#deliver(body);
        return true;
      }
    }
    if (!this.#ended) return false;
    // What is left is the beginning of a message that will never be complete.
    queue.clear();
    this.#wanted = false;
    this.#sink.onHalfClose();
    return true;
  }

  #inflate(body: Buffer): boolean {
    const encoding = this.#encoding;
    if (!this.#limits.compression || (encoding !== 'gzip' && encoding !== 'deflate')) {
      return this.#fail({ kind: encoding === 'identity' ? 'malformed' : 'encoding' });
    }
    const { maxMessageBytes, maxRatio } = this.#limits;
    const maxBytes = Math.min(maxMessageBytes, Math.max(freeInflatedBytes, maxRatio * body.length));
    // A message of no bytes is none that inflates, and still takes its turn.
    this.#inflatingBytes = Math.max(1, body.length);
    const done = (result: Buffer | 'too-large' | 'malformed') => {
      this.#inflatingBytes = 0;
      this.#cancelInflating = nothing;
      if (this.#closed) return;
      if (result === 'malformed') this.#fail({ kind: 'malformed' });
      else if (result === 'too-large') this.#fail({ kind: 'inflates-too-much', body, encoding });
      else {
        this.#deliver(result);
        if (this.#pumping) return;
        this.#pump();
        this.#readOn();
      }
    };
    this.#cancelInflating = this.#inflater.inflate(this.#inflatesAs, { body, encoding, maxBytes, done });
    return true;
  }

  #deliver(message: Buffer): void {
    this.#wanted = false;
    this.#received++;
    this.#sink.onMessageBytes(message);
  }

  #fail(problem: MessageProblem): false {
    this.#wanted = false;
    this.#queue.clear();
    this.#sink.onMessageProblem(problem);
    return false;
  }
}
