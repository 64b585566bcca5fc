import { setMaxListeners } from 'node:events';
import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import { Metadata, ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { Status } from '../../generated/google/rpc/status.js';
import type { Identity } from '../auth/identity.js';
import { maxTimerMs } from '../concurrency/max-timer.js';
import { callerLeft, deadlineExceeded, shuttingDown, type VerdictError } from '../errors.js';
import type { TlsIdentity } from '../tls/client-certificate.js';
import { callRefusalOf } from './call-refusal.js';
import { CallWaits } from './call-waits.js';
import { malformed } from './codec.js';
import type { Connection } from './connections.js';
import { partsOf } from './grpc-seam.js';
import { HeldByCall, type Holder } from './held-bytes.js';
import { InboundMessages, type MessageProblem, type MessageSink } from './inbound-messages.js';
import type { ActFacts, CallHead, CallTrace } from './interceptor.js';
import { acceptedEncodings, refusedMessage, unsupportedCompression } from './message-refusals.js';
import { envoyTimeoutKey, ownTimeoutMs, requestIdFrom, requestIdKey, transcodedKey } from './metadata.js';
import type { Method } from './method.js';
import type { OpenCall, OpenCalls } from './open-calls.js';
import { Passage } from './passage.js';
import { forwardedKey } from './peer.js';
import { resetCodeOf } from './reset-code.js';
import type { Call, CallHandler } from './route.js';
import { scanFields, unscannedBytes } from './scan-fields.js';
import {
  asVerdictError,
  causeOf,
  codeNames,
  fromLibrary,
  malformedMessage,
  okStatus,
  statusMetadata,
  statusOf,
} from './status.js';

/** The inbound events of a call. grpc-js does not export the type by name. */
type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = constants;

const acceptEncodingKey = 'grpc-accept-encoding';

/** While the peer has not taken this much of what was sent to it, none of its messages are read. */
const maxUnsentBytes = 64 * 1024;

/** How long a stream may stay open after its status, for a caller that has not said all it wanted to. */
const lingerMs = 10_000;

/** What an open call takes of the heap besides its messages, in bytes: what Node, grpc-js and this server keep of it. */
const callBytes = 8 * 1024;

/** How much later than the caller a deadline may pass here: the way of the headers, and rounding. */
const transitMs = 5;

/**
 * One call, and the only code that touches a grpc-js call object.
 *
 * It stands where grpc-js has its server interceptors, and it does not pass the call on: the streams that grpc-js
 * hands to method handlers (a Node Writable for a unary call, a Duplex for a stream) cost more than all that this
 * service does on a cache hit, read ahead, write one message per turn, and can lose the status of a call for good.
 * Below an interceptor the call is bare: `InboundMessages` brings one message when one is asked for, `sendMessage` reports
 * when the connection has taken it. So back-pressure is exact, messages of one turn leave in one write, and every call
 * passes here, whatever ends it.
 */
export class RpcCall
  extends ServerInterceptingCall
  implements Listener, Call<unknown>, CallHead, OpenCall, MessageSink, Holder
{
  readonly arrivedAt = performance.now();
  activeAt = this.arrivedAt;
  readonly connection: Connection;
  readonly held: HeldByCall;
  requestId = '';
  deadlineAt = Number.POSITIVE_INFINITY;
  trace: CallTrace | undefined = undefined;

  readonly #base: ServerInterceptingCallInterface;
  readonly #sendStatus: ServerInterceptingCallInterface['sendStatus'];
  readonly #stream: ServerHttp2Stream;
  readonly #session: Http2Session | undefined;
  readonly #encoding: string;
  readonly #method: Method;
  readonly #calls: OpenCalls;
  #inbound: InboundMessages | undefined;
  #metadata: Metadata | undefined;
  #handler: CallHandler<unknown> | undefined;
  readonly #passage: Passage;
  /** Who calls, if an interceptor has said so. */
  #identity: Identity | undefined;
  #callerName: string | undefined;
  #facts: ActFacts | undefined;
  #timer: NodeJS.Timeout | undefined;
  #controller: AbortController | undefined;
  #state: 'open' | 'ending' | 'ended' = 'open';
  #headersSent = false;
  #sent = 0;
  /** Bytes of messages in part, of requests under way, and of answers that the peer has not taken. */
  #queuedBytes = 0;
  #unsentBytes = 0;
  #readDeferred = false;
  /** The status has to say in which encodings messages may come. */
  #offersEncodings = false;
  /** It is among the calls that the end of the server waits for. */
  #isCounted = false;
  /** The stream was reset from here. */
  #wasReset = false;
  /** HTTP/2 has closed the stream, or taken all that was sent on it. */
  #gone = false;
  #waits: CallWaits | undefined;

  constructor(base: ServerInterceptingCallInterface, method: Method, calls: OpenCalls) {
    super(base);
    const { stream, incomingEncoding } = partsOf(base);
    this.#base = base;
    this.#stream = stream;
    this.#session = stream.session;
    this.#encoding = incomingEncoding;
    this.#method = method;
    this.#calls = calls;
    this.connection = calls.connections.of(this.#session);
    this.held = new HeldByCall(calls.held, this.connection);
    this.#passage = new Passage(calls.interceptors);
    // What grpc-js ends by itself (a deadline, say) reaches no interceptor. Standing before the method on this one
    // object lets such a call have its request id, its details and its line in the log.
    this.#sendStatus = base.sendStatus.bind(base);
    base.sendStatus = (status) => {
      if (this.#state !== 'open') this.#sendStatus(status);
      // An answer could not be written to a stream that has ended, which grpc-js takes for a fault of the server.
      else if (this.#stream.destroyed || this.#stream.closed) this.#leave();
      else this.fail(fromLibrary(status));
    };
  }

  /** grpc-js starts the call for its own handler; the route answers in that one's place. */
  override start(): void {
    this.#base.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#metadata = metadata;
    this.requestId = requestIdFrom(metadata.get(requestIdKey)[0]);
    this.#inbound = new InboundMessages(this.#stream, {
      sink: this,
      limits: this.#method.limits,
      inflater: this.#calls.inflater,
      inflatesAs: this.connection.peer ?? this.connection,
      encoding: this.#encoding,
    });
    this.#calls.add(this);
    this.#isCounted = true;
    this.connection.activity++;
    this.#setDeadline();
    try {
      const passed = this.#passage.enter(this);
      // May end this very call: the interceptors have heard of it by now, and hear of its end.
      this.held.change(callBytes);
      if (passed === undefined) this.#open();
      else {
        passed.then(
          () => this.#open(),
          (error: unknown) => this.fail(error),
        );
      }
    } catch (error) {
      this.fail(error);
    }
  }

  #open(): void {
    if (this.#state !== 'open') return;
    try {
      this.#handler = this.#method.route.open(this);
      this.read();
    } catch (error) {
      this.fail(error);
    }
  }

  /** grpc-js does not get to see messages, and is not heard when it sees the end. */
  onReceiveMessage(): void {}
  onReceiveHalfClose(): void {}

  onMessageBytes(bytes: Buffer): void {
    this.activeAt = this.#calls.now;
    this.connection.activity++;
    const handler = this.#handler;
    if (this.#state !== 'open' || handler === undefined) return;
    try {
      const { fields, decode } = this.#method;
      const problem =
        fields === undefined || bytes.length <= unscannedBytes ? undefined : scanFields(bytes, fields);
      const message = problem === undefined ? decode(bytes) : malformed;
      if (message !== malformed) handler.onMessage(message, bytes.length);
      else if (handler.onMalformed !== undefined) handler.onMalformed(problem ?? malformedMessage());
      else this.fail(problem ?? malformedMessage());
    } catch (error) {
      this.fail(error);
    }
  }

  onHalfClose(): void {
    if (this.#state !== 'open') return;
    try {
      this.#handler?.onHalfClose();
    } catch (error) {
      this.fail(error);
    }
  }

  onMessageProblem(problem: MessageProblem): void {
    if (problem.kind === 'encoding') {
      this.#offersEncodings = true;
      this.#calls.hooks.onCallRefused?.('unsupported_compression');
      this.end(unsupportedCompression);
    } else this.fail(refusedMessage(problem, this.#method));
  }

  onHeldBytes(bytes: number): void {
    const change = bytes - this.#queuedBytes;
    this.#queuedBytes = bytes;
    this.held.change(change);
  }

  /** The HTTP/2 stream is gone: always the last event, also of a call that went well. */
  onCancel(): void {
    if (this.#state === 'open') this.#leave();
    this.#tellReset();
    this.#letGo();
  }

  /**
   * The caller has ended the stream. One whose deadline passes resets it, often before the deadline has passed here: that is no
   * change of mind.
   */
  #leave(): void {
    if (performance.now() < this.deadlineAt - transitMs) this.#close('CANCELLED', callerLeft(), undefined);
    else this.#close('DEADLINE_EXCEEDED', deadlineExceeded(), undefined);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // Every input in flight listens: that is no leak.
      setMaxListeners(0, this.#controller.signal);
      if (this.#state === 'ended') this.#controller.abort(shuttingDown());
    }
    return this.#controller.signal;
  }

  get peer(): string {
    return this.#calls.connections.peers.of(this.connection.address, this.metadata(forwardedKey));
  }

  get address(): string {
    return this.connection.address;
  }

  get tlsIdentity(): TlsIdentity | undefined {
    return this.connection.identity;
  }

  get service(): string {
    return this.#method.name.service;
  }

  get method(): string {
    return this.#method.name.method;
  }

  identify(identity: Identity): void {
    this.#identity = identity;
  }

  follow(trace: CallTrace): void {
    this.trace = trace;
  }

  get identity(): Identity | undefined {
    return this.#identity;
  }

  get caller(): object {
    if (this.#identity !== undefined) return this.#identity.flow;
    return this.#calls.connections.callerOf(this.connection, this.metadata(forwardedKey));
  }

  get callerName(): string {
    if (this.#identity !== undefined) return this.#identity.name;
    this.#callerName ??= this.#calls.connections.nameOf(this.connection, this.metadata(forwardedKey));
    return this.#callerName;
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

  audit(facts: ActFacts): void {
    this.#facts = facts;
  }

  read(): void {
    if (this.#state !== 'open') return;
    if (this.#unsentBytes > maxUnsentBytes) this.#readDeferred = true;
    else this.#inbound?.want();
  }

  hold(bytes: number): void {
    this.held.change(bytes);
  }

  release(bytes: number): void {
    if (this.#state === 'open') this.held.change(-bytes);
  }

  send(message: unknown, onWritten: () => void): void {
    if (this.#state === 'ended') return;
    const bytes = this.#encode(message);
    if (bytes === undefined) return;
    if (!this.#headersSent) {
      this.#headersSent = true;
      const metadata = new Metadata();
      metadata.set(requestIdKey, this.requestId);
      if (!this.#method.limits.compression) metadata.set(acceptEncodingKey, 'identity');
      this.#base.sendMetadata(metadata);
    }
    this.#sent++;
    this.activeAt = this.#calls.now;
    this.#unsentBytes += bytes.length;
    this.#base.sendMessage(bytes, () => this.#onSent(bytes.length, onWritten));
    this.held.change(bytes.length);
  }

  finish(): void {
    this.#end(okStatus, undefined);
  }

  fail(error: unknown): void {
    const known = asVerdictError(error);
    this.#end(statusOf(known, this.requestId), known);
  }

  end(status: Status): void {
    this.#end(status, status);
  }

  inputStatus(error: unknown): Status {
    const known = asVerdictError(error);
    if (known.code === 'internal') {
      const { requestId, trace } = this;
      this.#calls.hooks.onInputFailed?.({ ...this.#method.name, requestId, trace, cause: causeOf(known) });
    }
    return statusOf(known, this.requestId);
  }

  /** Of a call that is still on its way to its handler nothing has begun. */
  drain(error: VerdictError): void {
    if (this.#handler === undefined) this.fail(error);
    else this.#handler.onDrain(error);
  }

  interrupt(error: VerdictError): void {
    this.fail(error);
  }

  /** Answers that the peer does not take stand before any status: such a stream is reset instead. */
  shed(error: VerdictError): void {
    const stalled = this.#unsentBytes > 0;
    if (this.#state === 'open') {
      if (stalled) this.#close('RESOURCE_EXHAUSTED', error, undefined);
      else this.fail(error);
    }
    if (stalled) this.#reset(NGHTTP2_ENHANCE_YOUR_CALM);
    this.#letGo();
  }

  /** Looks at the call once a second or so, for what has lasted too long. */
  inspect(now: number): void {
    const inbound = this.#inbound;
    if (this.#state !== 'open' || inbound === undefined) {
      this.#inspectEnded(now);
      return;
    }
    this.#waits ??= new CallWaits(this.#method.route, this.arrivedAt);
    const problem = this.#waits.problem(this.#calls.timeLimits, inbound, now, this.activeAt);
    if (problem !== undefined) this.fail(problem);
  }

  /** An answer that is not taken, or a caller that goes on after its status, does not hold the stream for ever. */
  #inspectEnded(now: number): void {
    const { messageMs } = this.#calls.timeLimits;
    const limitMs = this.#gone ? Math.min(lingerMs, messageMs) : messageMs;
    if (this.#stream.destroyed) this.#calls.delete(this);
    else if (now - this.activeAt > limitMs) {
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

  #encode(message: unknown): Buffer | undefined {
    try {
      return this.#method.encode(message);
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  #onSent(bytes: number, onWritten: () => void): void {
    this.#unsentBytes -= bytes;
    this.held.change(-bytes);
    this.activeAt = this.#calls.now;
    onWritten();
    if (this.#readDeferred && this.#unsentBytes <= maxUnsentBytes) {
      this.#readDeferred = false;
      this.read();
    }
  }

  /** Nothing of the call is held any more. The stream may yet wait for the caller's last word. */
  #letGo(): void {
    if (this.#gone) return;
    this.held.close();
    this.#gone = true;
    if (this.#isCounted) this.#calls.left();
    if (this.#inbound?.ended !== false || this.#stream.destroyed) this.#calls.delete(this);
    this.#inbound?.leave();
    this.#inbound = undefined;
  }

  /** grpc-js keeps the caller's deadline. Else the default one is kept here, or that of Envoy's route if shorter. */
  #setDeadline(): void {
    const callers = Number(this.#base.getDeadline());
    if (callers !== Number.POSITIVE_INFINITY) {
      this.deadlineAt = this.arrivedAt + callers - Date.now();
      return;
    }
    const fallback =
      this.#method.route.shape === 'unary' ? this.#calls.defaultDeadlineMs : Number.POSITIVE_INFINITY;
    const timeoutMs = ownTimeoutMs(this.metadata(envoyTimeoutKey), fallback);
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    this.deadlineAt = this.arrivedAt + timeoutMs;
    this.#timer = setTimeout(() => this.fail(deadlineExceeded()), Math.min(timeoutMs, maxTimerMs));
  }

  #end(status: Status, error: unknown): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    const refusal = callRefusalOf(error);
    if (refusal !== undefined) this.#calls.hooks.onCallRefused?.(refusal);
    this.#handler?.beforeEnd?.(status);
    const metadata = status.code === okStatus.code ? null : this.#metadataOf(status, error);
    this.#sendStatus({ code: status.code, details: status.message, metadata });
    const code = codeNames.get(status.code) ?? 'UNKNOWN';
    this.#close(code, error, code === 'INTERNAL' ? causeOf(error) : undefined);
  }

  #metadataOf(status: Status, error: unknown): Metadata {
    const metadata = statusMetadata(status, error, this.metadata(transcodedKey) !== undefined);
    if (!this.#headersSent) metadata.set(requestIdKey, this.requestId);
    if (this.#offersEncodings) metadata.set(acceptEncodingKey, acceptedEncodings(this.#method.limits));
    return metadata;
  }

  #close(code: string, error: unknown, cause: unknown): void {
    this.#state = 'ended';
    this.activeAt = performance.now();
    clearTimeout(this.#timer);
    this.#inbound?.close();
    if (error !== undefined) this.#controller?.abort(error);
    this.#handler?.onClose?.();
    // Node keeps what an HTTP/2 stream leads to until a full collection, and this call is part of it.
    this.#handler = undefined;
    this.#metadata = undefined;
    this.#timer = undefined;
    this.#passage.leave({
      service: this.service,
      method: this.method,
      code,
      durationMs: performance.now() - this.arrivedAt,
      requestId: this.requestId,
      peer: this.connection.name,
      identity: this.#identity?.name ?? this.connection.identity?.sans[0],
      trace: this.trace,
      received: this.#inbound?.received ?? 0,
      sent: this.#sent,
      cause,
      facts: this.#facts,
    });
    this.held.reduceTo(callBytes + this.#unsentBytes);
  }
}
