import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import { Metadata, ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { Status } from '../../generated/google/rpc/status.js';
import type { CallTransport } from './call-transport.js';
import { partsOf } from './grpc-seam.js';
import { InboundMessages, type MessageProblem, type MessageSink } from './inbound-messages.js';
import { acceptedEncodings, refusedMessage, unsupportedCompression } from './message-refusals.js';
import { envoyTimeoutKey, requestIdFrom, requestIdKey, transcodedKey } from './metadata.js';
import type { Method } from './method.js';
import type { OpenCalls } from './open-calls.js';
import { resetCodeOf } from './reset-code.js';
import { ServedCall } from './served-call.js';
import { fromLibrary, okStatus, statusMetadata } from './status.js';

/** The inbound events of a call. grpc-js does not export the type by name. */
type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = constants;

const acceptEncodingKey = 'grpc-accept-encoding';

/** How long a stream may stay open after its status, for a caller that has not said all it wanted to. */
const lingerMs = 10_000;

/** How much later than the caller a deadline may pass here: the way of the headers, and rounding. */
const transitMs = 5;

/**
 * One call that came in over gRPC, and the only code that touches a grpc-js call object.
 *
 * It stands where grpc-js has its server interceptors, and it does not pass the call on: the streams that grpc-js
 * hands to method handlers (a Node Writable for a unary call, a Duplex for a stream) cost more than all that this
 * service does on a cache hit, read ahead, write one message per turn, and can lose the status of a call for good.
 * Below an interceptor the call is bare: `InboundMessages` brings one message when one is asked for, `sendMessage` reports
 * when the connection has taken it. So back-pressure is exact, messages of one turn leave in one write, and every call
 * passes here, whatever ends it.
 */
export class RpcCall extends ServerInterceptingCall implements Listener, MessageSink, CallTransport {
  readonly #base: ServerInterceptingCallInterface;
  readonly #sendStatus: ServerInterceptingCallInterface['sendStatus'];
  readonly #stream: ServerHttp2Stream;
  readonly #session: Http2Session | undefined;
  readonly #encoding: string;
  readonly #method: Method;
  readonly #calls: OpenCalls;
  readonly #call: ServedCall;
  #inbound: InboundMessages | undefined;
  #metadata: Metadata | undefined;
  #headersSent = false;
  /** Bytes of messages that wait, or have arrived in part. */
  #queuedBytes = 0;
  /** The status has to say in which encodings messages may come. */
  #offersEncodings = false;
  /** The stream was reset from here. */
  #wasReset = false;
  /** HTTP/2 has closed the stream, or taken all that was sent on it. */
  #gone = false;

  constructor(base: ServerInterceptingCallInterface, method: Method, calls: OpenCalls) {
    super(base);
    const { stream, incomingEncoding } = partsOf(base);
    this.#base = base;
    this.#stream = stream;
    this.#session = stream.session;
    this.#encoding = incomingEncoding;
    this.#method = method;
    this.#calls = calls;
    this.#call = new ServedCall(method, calls, calls.connections.of(this.#session), this);
    // What grpc-js ends by itself (a deadline, say) reaches no interceptor. Standing before the method on this one
    // object lets such a call have its request id, its details and its line in the log.
    this.#sendStatus = base.sendStatus.bind(base);
    base.sendStatus = (status) => {
      if (!this.#call.isOpen) this.#sendStatus(status);
      // An answer could not be written to a stream that has ended, which grpc-js takes for a fault of the server.
      else if (this.#stream.destroyed || this.#stream.closed) this.#call.leave(transitMs);
      else this.#call.fail(fromLibrary(status));
    };
  }

  /** grpc-js starts the call for its own handler; the route answers in that one's place. */
  override start(): void {
    this.#base.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    const { connection } = this.#call;
    this.#metadata = metadata;
    this.#call.requestId = requestIdFrom(metadata.get(requestIdKey)[0]);
    this.#inbound = new InboundMessages(this.#stream, {
      sink: this,
      limits: this.#method.limits,
      inflater: this.#calls.inflater,
      inflatesAs: connection.peer ?? connection,
      encoding: this.#encoding,
    });
    this.#setDeadline();
    this.#call.start();
  }

  /** grpc-js keeps the caller's deadline. Else the server's own is kept here. */
  #setDeadline(): void {
    const callers = Number(this.#base.getDeadline());
    if (callers !== Number.POSITIVE_INFINITY) {
      this.#call.deadlineAt = this.#call.arrivedAt + callers - Date.now();
      return;
    }
    this.#call.limitTo(this.#calls.ownTimeoutMs(this.#method.route, this.metadata(envoyTimeoutKey)));
  }

  /** grpc-js does not get to see messages, and is not heard when it sees the end. */
  onReceiveMessage(): void {}
  onReceiveHalfClose(): void {}

  onMessageBytes(bytes: Buffer): void {
    this.#call.onMessage(bytes);
  }

  onHalfClose(): void {
    this.#call.onHalfClose();
  }

  onMessageProblem(problem: MessageProblem): void {
    if (problem.kind === 'encoding') {
      this.#offersEncodings = true;
      this.#calls.hooks.onCallRefused?.('unsupported_compression');
      this.#call.end(unsupportedCompression);
    } else this.#call.fail(refusedMessage(problem, this.#method));
  }

  onHeldBytes(bytes: number): void {
    const change = bytes - this.#queuedBytes;
    this.#queuedBytes = bytes;
    this.#call.held.change(change);
  }

  /** The HTTP/2 stream is gone: always the last event, also of a call that went well. */
  onCancel(): void {
    this.#call.leave(transitMs);
    this.#tellReset();
    this.#letGo();
  }

  get arrived(): InboundMessages | undefined {
    return this.#inbound;
  }

  metadata(key: string): string | undefined {
    const value = this.#metadata?.get(key)[0];
    return typeof value === 'string' ? value : undefined;
  }

  takeMetadata(key: string): string | undefined {
    const value = this.metadata(key);
    if (value !== undefined) this.#metadata?.remove(key);
    return value;
  }

  want(): void {
    this.#inbound?.want();
  }

  send(bytes: Buffer, onTaken: () => void): void {
    if (!this.#headersSent) {
      this.#headersSent = true;
      const metadata = new Metadata();
      metadata.set(requestIdKey, this.#call.requestId);
      if (!this.#method.limits.compression) metadata.set(acceptEncodingKey, 'identity');
      this.#base.sendMetadata(metadata);
    }
    this.#base.sendMessage(bytes, onTaken);
  }

  sendEnd(status: Status, error: unknown): void {
    const metadata = status.code === okStatus.code ? null : this.#metadataOf(status, error);
    this.#sendStatus({ code: status.code, details: status.message, metadata });
  }

  #metadataOf(status: Status, error: unknown): Metadata {
    const metadata = statusMetadata(status, error, this.metadata(transcodedKey) !== undefined);
    if (!this.#headersSent) metadata.set(requestIdKey, this.#call.requestId);
    if (this.#offersEncodings) metadata.set(acceptEncodingKey, acceptedEncodings(this.#method.limits));
    return metadata;
  }

  onEnded(): void {
    this.#inbound?.close();
    // Node keeps what an HTTP/2 stream leads to until a full collection, and this call is part of it.
    this.#metadata = undefined;
  }

  onShed(stalled: boolean): void {
    if (stalled) this.#reset(NGHTTP2_ENHANCE_YOUR_CALM);
    this.#letGo();
  }

  /** An answer that is not taken, or a caller that goes on after its status, does not hold the stream for ever. */
  inspectEnded(idleMs: number): void {
    const { messageMs } = this.#calls.timeLimits;
    const limitMs = this.#gone ? Math.min(lingerMs, messageMs) : messageMs;
    if (this.#stream.destroyed) this.#calls.delete(this.#call);
    else if (idleMs > limitMs) {
      this.#reset(this.#gone ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
      // On a connection that is dead the reset never leaves.
      this.#letGo();
    }
  }

  #reset(code: number): void {
    if (!this.#stream.closed) this.#wasReset = true;
    this.#stream.close(code);
  }

  /** A connection that ends takes its streams along: these are not reset. */
  #tellReset(): void {
    const code = resetCodeOf(this.#stream.rstCode);
    if (code === undefined || this.#session?.destroyed !== false) return;
    this.#calls.hooks.onStreamReset?.(this.#wasReset ? 'server' : 'client', code);
  }

  /** Nothing of the call is held any more. The stream may yet wait for the caller's last word. */
  #letGo(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#call.letGo();
    if (this.#inbound?.ended !== false || this.#stream.destroyed) this.#calls.delete(this.#call);
    this.#inbound?.leave();
    this.#inbound = undefined;
  }
}
