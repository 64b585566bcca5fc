import { setMaxListeners } from 'node:events';
import { Status } from '../../generated/google/rpc/status.js';
import type { Identity } from '../auth/identity.js';
import { maxTimerMs } from '../concurrency/max-timer.js';
import { callerLeft, deadlineExceeded, shuttingDown, VerdictError } from '../errors.js';
import type { TlsIdentity } from '../tls/client-certificate.js';
import { callRefusalOf } from './call-refusal.js';
import { CallWaits } from './call-waits.js';
import { malformed } from './codec.js';
import type { Connection } from './connections.js';
import type { DirectCaller, OpenedCall } from './direct-caller.js';
import { HeldByCall, type Holder } from './held-bytes.js';
import type { ActFacts, CallHead, CallTrace } from './interceptor.js';
import { refusedMessage } from './message-refusals.js';
import { envoyTimeoutKey, ownTimeoutMs, requestIdFrom, requestIdKey, serviceClassKey } from './metadata.js';
import type { Method } from './method.js';
import type { OpenCall, OpenCalls } from './open-calls.js';
import { Passage } from './passage.js';
import { forwardedKey } from './peer.js';
import { givenTimeoutMs } from './request-heads.js';
import type { Call, CallHandler } from './route.js';
import { scanFields, unscannedBytes } from './scan-fields.js';
import {
  asVerdictError,
  causeOf,
  codeNames,
  malformedMessage,
  malformedTimeout,
  okStatus,
  statusOf,
} from './status.js';

/** While the caller has not taken this much of what was sent to it, none of its messages are asked for. */
const maxUnsentBytes = 64 * 1024;

/** What an open call takes of the heap besides its messages, in bytes. */
const callBytes = 8 * 1024;

/** What a direct call begins with. */
export interface DirectCallParts {
  readonly connection: Connection;
  /** Of its request, reduced to what is read; keys in lower case. */
  readonly metadata: Map<string, string>;
  readonly caller: DirectCaller;
  /** Nothing is left of the call. */
  readonly onGone: () => void;
}

/**
 * One call that came in without gRPC: its messages are handed over in this process, encoded as gRPC would carry them. It passes the
 * interceptors, the limits and the method that the same call over gRPC passes (`RpcCall`), and ends as that one does.
 */
export class DirectCall implements Call<unknown>, CallHead, OpenCall, Holder, OpenedCall {
  readonly arrivedAt = performance.now();
  activeAt = this.arrivedAt;
  readonly connection: Connection;
  readonly held: HeldByCall;
  readonly requestId: string;
  deadlineAt = Number.POSITIVE_INFINITY;
  trace: CallTrace | undefined = undefined;

  readonly #metadata: Map<string, string>;
  readonly #method: Method;
  readonly #calls: OpenCalls;
  readonly #caller: DirectCaller;
  readonly #onGone: () => void;
  readonly #passage: Passage;
  #handler: CallHandler<unknown> | undefined;
  #waits: CallWaits | undefined;
  #identity: Identity | undefined;
  #callerName: string | undefined;
  #facts: ActFacts | undefined;
  #timer: NodeJS.Timeout | undefined;
  #controller: AbortController | undefined;
  #state: 'open' | 'ending' | 'ended' = 'open';
  #gone = false;
  #received = 0;
  #sent = 0;
  /** A message has been asked for, and has not come. */
  #wanted = false;
  #readDeferred = false;
  #halfClosed = false;
  /** Bytes of messages that have arrived in part, and of answers that the caller has not taken. */
  #arrivingBytes = 0;
  #unsentBytes = 0;

  constructor(method: Method, calls: OpenCalls, { connection, metadata, caller, onGone }: DirectCallParts) {
    this.#method = method;
    this.#calls = calls;
    this.#caller = caller;
    this.#onGone = onGone;
    this.#metadata = metadata;
    this.connection = connection;
    this.requestId = requestIdFrom(this.#metadata.get(requestIdKey));
    this.held = new HeldByCall(calls.held, this.connection);
    this.#passage = new Passage(calls.interceptors);
  }

  start(): void {
    this.#calls.add(this);
    this.connection.activity++;
    try {
      const problem = this.#setDeadline();
      const passed = this.#passage.enter(this);
      // May end this very call: the interceptors have heard of it by now, and hear of its end.
      this.held.change(callBytes);
      if (problem !== undefined) this.fail(problem);
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

  get maxMessageBytes(): number {
    return this.#method.limits.maxMessageBytes;
  }

  arriving(bytes: number): void {
    const change = bytes - this.#arrivingBytes;
    this.#arrivingBytes = bytes;
    this.held.change(change);
  }

  message(bytes: Buffer): void {
    this.#received++;
    this.#wanted = false;
    this.activeAt = this.#calls.now;
    this.connection.activity++;
    this.#tell((handler) => {
      if (bytes.length > this.maxMessageBytes) {
        this.fail(refusedMessage({ kind: 'too-large', bytes: bytes.length }, this.#method));
        return;
      }
      const { fields, decode } = this.#method;
      const problem =
        fields === undefined || bytes.length <= unscannedBytes ? undefined : scanFields(bytes, fields);
      const message = problem === undefined ? decode(bytes) : malformed;
      if (message === malformed) this.#refuse(handler, problem ?? malformedMessage());
      else handler.onMessage(message, bytes.length);
    });
  }

  asInteractive(): void {
    if (!this.#metadata.has(serviceClassKey)) this.#metadata.set(serviceClassKey, 'interactive');
  }

  malformedMessage(error: VerdictError): void {
    this.#received++;
    this.#wanted = false;
    this.activeAt = this.#calls.now;
    this.#tell((handler) => this.#refuse(handler, error));
  }

  halfClose(): void {
    this.#wanted = false;
    this.#halfClosed = true;
    this.#tell((handler) => handler.onHalfClose());
  }

  /** What the handler throws fails the call. */
  #tell(tell: (handler: CallHandler<unknown>) => void): void {
    if (this.#state !== 'open' || this.#handler === undefined) return;
    try {
      tell(this.#handler);
    } catch (error) {
      this.fail(error);
    }
  }

  #refuse(handler: CallHandler<unknown>, error: VerdictError): void {
    if (handler.onMalformed === undefined) this.fail(error);
    else handler.onMalformed(error);
  }

  gone(): void {
    if (this.#gone) return;
    if (this.#state === 'open') this.#leave();
    this.#gone = true;
    this.held.close();
    this.#calls.left();
    this.#calls.delete(this);
    this.#onGone();
  }

  /** The caller has ended the call. */
  #leave(): void {
    if (performance.now() < this.deadlineAt) this.#close('CANCELLED', callerLeft(), undefined);
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
    return this.#metadata.get(key);
  }

  takeMetadata(key: string): string | undefined {
    const value = this.#metadata.get(key);
    this.#metadata.delete(key);
    return value;
  }

  audit(facts: ActFacts): void {
    this.#facts = facts;
  }

  read(): void {
    if (this.#state !== 'open') return;
    if (this.#unsentBytes > maxUnsentBytes) this.#readDeferred = true;
    else {
      this.#wanted = true;
      this.#caller.onWanted();
    }
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
    this.#sent++;
    this.activeAt = this.#calls.now;
    this.#unsentBytes += bytes.length;
    try {
      this.#caller.onAnswer(bytes, () => this.#onTaken(bytes.length, onWritten));
    } catch (error) {
      this.fail(error);
      return;
    }
    this.held.change(bytes.length);
  }

  #encode(message: unknown): Buffer | undefined {
    try {
      return this.#method.encode(message);
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  #onTaken(bytes: number, onWritten: () => void): void {
    this.#unsentBytes -= bytes;
    this.held.change(-bytes);
    this.activeAt = this.#calls.now;
    onWritten();
    if (this.#readDeferred && this.#unsentBytes <= maxUnsentBytes) {
      this.#readDeferred = false;
      this.read();
    }
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

  /** Answers that the caller does not take stand before any status: it is cut off instead. */
  shed(error: VerdictError): void {
    const stalled = this.#unsentBytes > 0;
    if (stalled && this.#state === 'open') this.#close('RESOURCE_EXHAUSTED', error, undefined);
    else this.fail(error);
    if (!stalled) return;
    this.#caller.onCutOff();
    this.gone();
  }

  /** Looks at the call once a second or so, for what has lasted too long. */
  inspect(now: number): void {
    const { timeLimits } = this.#calls;
    if (this.#state !== 'open') {
      if (now - this.activeAt > timeLimits.messageMs) this.#caller.onCutOff();
      return;
    }
    this.#waits ??= new CallWaits(this.#method.route, this.arrivedAt);
    const arrived = {
      received: this.#received,
      partial: this.#wanted && this.#arrivingBytes > 0,
      ended: this.#halfClosed,
    };
    const problem = this.#waits.problem(timeLimits, arrived, now, this.activeAt);
    if (problem !== undefined) this.fail(problem);
  }

  /** The caller's deadline, or the default one. */
  #setDeadline(): VerdictError | undefined {
    const given = givenTimeoutMs(this.metadata('grpc-timeout'));
    if (given === 'malformed') return malformedTimeout();
    const fallback =
      this.#method.route.shape === 'unary' ? this.#calls.defaultDeadlineMs : Number.POSITIVE_INFINITY;
    const timeoutMs = given ?? ownTimeoutMs(this.metadata(envoyTimeoutKey), fallback);
    if (timeoutMs === Number.POSITIVE_INFINITY) return undefined;
    this.deadlineAt = this.arrivedAt + timeoutMs;
    this.#timer = setTimeout(() => this.fail(deadlineExceeded()), Math.min(timeoutMs, maxTimerMs));
    return undefined;
  }

  #end(status: Status, error: unknown): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    const refusal = callRefusalOf(error);
    if (refusal !== undefined) this.#calls.hooks.onCallRefused?.(refusal);
    this.#handler?.beforeEnd?.(status);
    const code = codeNames.get(status.code) ?? 'UNKNOWN';
    this.#close(code, error, code === 'INTERNAL' ? causeOf(error) : undefined);
    const retryAfterMs = error instanceof VerdictError ? error.retryAfterMs : undefined;
    this.#caller.onEnd({ code: status.code, status: Status.encode(status).finish(), retryAfterMs });
  }

  #close(code: string, error: unknown, cause: unknown): void {
    this.#state = 'ended';
    this.activeAt = performance.now();
    clearTimeout(this.#timer);
    this.#arrivingBytes = 0;
    if (error !== undefined) this.#controller?.abort(error);
    this.#handler?.onClose?.();
    this.#handler = undefined;
    this.#passage.leave({
      service: this.service,
      method: this.method,
      code,
      durationMs: performance.now() - this.arrivedAt,
      requestId: this.requestId,
      peer: this.connection.name,
      identity: this.#identity?.name ?? this.connection.identity?.sans[0],
      trace: this.trace,
      received: this.#received,
      sent: this.#sent,
      cause,
      facts: this.#facts,
    });
    this.held.reduceTo(callBytes + this.#unsentBytes);
  }
}
