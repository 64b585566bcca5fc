import { setMaxListeners } from 'node:events';
import type { Status } from '../../generated/google/rpc/status.js';
import type { Identity } from '../auth/identity.js';
import { maxTimerMs } from '../concurrency/max-timer.js';
import { callerLeft, deadlineExceeded, shuttingDown, type VerdictError } from '../errors.js';
import type { TlsIdentity } from '../tls/client-certificate.js';
import { callRefusalOf } from './call-refusal.js';
import type { CallTransport } from './call-transport.js';
import { CallWaits } from './call-waits.js';
import { malformed } from './codec.js';
import type { Connection } from './connections.js';
import { HeldByCall, type Holder } from './held-bytes.js';
import type { ActFacts, CallHead, CallTrace } from './interceptor.js';
import type { Method } from './method.js';
import type { OpenCall, OpenCalls } from './open-calls.js';
import { Passage } from './passage.js';
import { forwardedKey } from './peer.js';
import type { Call, CallHandler } from './route.js';
import { asVerdictError, causeOf, codeNames, malformedMessage, okStatus, statusOf } from './status.js';

/** While the peer has not taken this much of what was sent to it, none of its messages are read. */
const maxUnsentBytes = 64 * 1024;

/** What an open call takes of the heap besides its messages, in bytes: what Node, grpc-js and this server keep of it. */
const callBytes = 8 * 1024;

/**
 * One call from its head to its end, whatever carries it: its way through the interceptors, its deadline, its messages in and out, what
 * it makes the server hold, and how it ended.
 */
export class ServedCall implements Call<unknown>, CallHead, OpenCall, Holder {
  readonly arrivedAt = performance.now();
  activeAt = this.arrivedAt;
  readonly service: string;
  readonly method: string;
  readonly connection: Connection;
  readonly address: string;
  readonly tlsIdentity: TlsIdentity | undefined;
  readonly held: HeldByCall;
  /** Set by the transport before anything else happens to the call. */
  requestId = '';
  deadlineAt = Number.POSITIVE_INFINITY;
  identity: Identity | undefined = undefined;
  trace: CallTrace | undefined = undefined;

  readonly #method: Method;
  readonly #calls: OpenCalls;
  readonly #transport: CallTransport;
  readonly #passage: Passage;
  #handler: CallHandler<unknown> | undefined;
  #waits: CallWaits | undefined;
  #callerName: string | undefined;
  #facts: ActFacts | undefined;
  #timer: NodeJS.Timeout | undefined;
  #controller: AbortController | undefined;
  #state: 'open' | 'ending' | 'ended' = 'open';
  #sent = 0;
  /** Bytes of answers that the peer has not taken. */
  #unsentBytes = 0;
  #readDeferred = false;
  /** It is among the calls that the end of the server waits for. */
  #isCounted = false;

  constructor(method: Method, calls: OpenCalls, connection: Connection, transport: CallTransport) {
    this.#method = method;
    this.#calls = calls;
    this.#transport = transport;
    this.service = method.name.service;
    this.method = method.name.method;
    this.connection = connection;
    this.address = connection.address;
    this.tlsIdentity = connection.identity;
    this.held = new HeldByCall(calls.held, connection);
    this.#passage = new Passage(calls.interceptors);
  }

  /** @param problem with its head: the call fails with it once the interceptors have heard of it */
  start(problem?: VerdictError): void {
    this.#calls.add(this);
    this.#isCounted = true;
    this.connection.activity++;
    try {
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

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  onMessage(bytes: Buffer): void {
    this.activeAt = this.#calls.now;
    this.connection.activity++;
    const handler = this.#handler;
    if (this.#state !== 'open' || handler === undefined) return;
    try {
      const problem = this.#method.problemOf(bytes);
      const message = problem === undefined ? this.#method.decode(bytes) : malformed;
      if (message !== malformed) handler.onMessage(message, bytes.length);
      else this.#refuse(handler, problem ?? malformedMessage());
    } catch (error) {
      this.fail(error);
    }
  }

  /** There was a message, but none that can be had. */
  onMalformed(error: VerdictError): void {
    this.activeAt = this.#calls.now;
    const handler = this.#handler;
    if (this.#state !== 'open' || handler === undefined) return;
    try {
      this.#refuse(handler, error);
    } catch (thrown) {
      this.fail(thrown);
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

  #refuse(handler: CallHandler<unknown>, error: VerdictError): void {
    if (handler.onMalformed === undefined) this.fail(error);
    else handler.onMalformed(error);
  }

  /**
   * The caller has left. One whose deadline passes does so, often before the deadline has passed here: that is no change of mind.
   * @param transitMs how much later than at the caller its deadline may pass here
   */
  leave(transitMs: number): void {
    if (this.#state !== 'open') return;
    if (performance.now() < this.deadlineAt - transitMs) this.#close('CANCELLED', callerLeft(), undefined);
    else this.#close('DEADLINE_EXCEEDED', deadlineExceeded(), undefined);
  }

  /** Its last word has left, or never will. To be called once. */
  letGo(): void {
    this.held.close();
    if (this.#isCounted) this.#calls.left();
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

  identify(identity: Identity): void {
    this.identity = identity;
  }

  follow(trace: CallTrace): void {
    this.trace = trace;
  }

  get caller(): object {
    if (this.identity !== undefined) return this.identity.flow;
    return this.#calls.connections.callerOf(this.connection, this.metadata(forwardedKey));
  }

  get callerName(): string {
    if (this.identity !== undefined) return this.identity.name;
    this.#callerName ??= this.#calls.connections.nameOf(this.connection, this.metadata(forwardedKey));
    return this.#callerName;
  }

  metadata(key: string): string | undefined {
    return this.#transport.metadata(key);
  }

  takeMetadata(key: string): string | undefined {
    return this.#transport.takeMetadata(key);
  }

  audit(facts: ActFacts): void {
    this.#facts = facts;
  }

  read(): void {
    if (this.#state !== 'open') return;
    if (this.#unsentBytes > maxUnsentBytes) this.#readDeferred = true;
    else this.#transport.want();
  }

  hold(bytes: number): void {
    this.held.change(bytes);
  }

  release(bytes: number): void {
    if (this.#state === 'open') this.held.change(-bytes);
  }

  send(message: unknown, onWritten: () => void): void {
    if (this.#state === 'ended') return;
    try {
      const bytes = this.#method.encode(message);
      this.#sent++;
      this.activeAt = this.#calls.now;
      this.#unsentBytes += bytes.length;
      this.#transport.send(bytes, () => this.#onTaken(bytes.length, onWritten));
      this.held.change(bytes.length);
    } catch (error) {
      this.fail(error);
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

  /** Answers that the peer does not take stand before any status: such a call is cut off instead. */
  shed(error: VerdictError): void {
    const stalled = this.#unsentBytes > 0;
    if (!stalled) this.fail(error);
    else if (this.#state === 'open') this.#close('RESOURCE_EXHAUSTED', error, undefined);
    this.#transport.onShed(stalled);
  }

  /** Looks at the call once a second or so, for what has lasted too long. */
  inspect(now: number): void {
    const { arrived } = this.#transport;
    if (this.#state !== 'open' || arrived === undefined) {
      this.#transport.inspectEnded(now - this.activeAt);
      return;
    }
    this.#waits ??= new CallWaits(this.#method.route, this.arrivedAt);
    const problem = this.#waits.problem(this.#calls.timeLimits, arrived, now, this.activeAt);
    if (problem !== undefined) this.fail(problem);
  }

  /** Ends the call so many milliseconds after its arrival. Infinity: it has no deadline. */
  limitTo(timeoutMs: number): void {
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
    this.#transport.sendEnd(status, error);
    const code = codeNames.get(status.code) ?? 'UNKNOWN';
    this.#close(code, error, code === 'INTERNAL' ? causeOf(error) : undefined);
  }

  #close(code: string, error: unknown, cause: unknown): void {
    this.#state = 'ended';
    this.activeAt = performance.now();
    clearTimeout(this.#timer);
    const received = this.#transport.arrived?.received ?? 0;
    if (error !== undefined) this.#controller?.abort(error);
    this.#handler?.onClose?.();
    this.#transport.onEnded();
    // Node keeps what an HTTP/2 stream leads to until a full collection, and this call is part of it.
    this.#handler = undefined;
    this.#timer = undefined;
    this.#passage.leave({
      service: this.service,
      method: this.method,
      code,
      durationMs: performance.now() - this.arrivedAt,
      requestId: this.requestId,
      peer: this.connection.name,
      identity: this.identity?.name ?? this.connection.identity?.sans[0],
      trace: this.trace,
      received,
      sent: this.#sent,
      cause,
      facts: this.#facts,
    });
    this.held.reduceTo(callBytes + this.#unsentBytes);
  }
}
