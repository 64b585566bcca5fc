import { Status } from '../../generated/google/rpc/status.js';
import { VerdictError } from '../errors.js';
import type { CallTransport } from './call-transport.js';
import type { Arrived } from './call-waits.js';
import type { Connection } from './connections.js';
import type { DirectCaller, OpenedCall } from './direct-caller.js';
import { refusedMessage } from './message-refusals.js';
import { envoyTimeoutKey, requestIdFrom, requestIdKey, serviceClassKey } from './metadata.js';
import type { Method } from './method.js';
import type { OpenCalls } from './open-calls.js';
import { givenTimeoutMs } from './request-heads.js';
import { ServedCall } from './served-call.js';
import { malformedTimeout } from './status.js';

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
export class DirectCall implements OpenedCall, CallTransport, Arrived {
  readonly #metadata: Map<string, string>;
  readonly #method: Method;
  readonly #calls: OpenCalls;
  readonly #caller: DirectCaller;
  readonly #onGone: () => void;
  readonly #call: ServedCall;
  #hasEnded = false;
  #gone = false;
  #received = 0;
  /** A message has been asked for, and has not come. */
  #wanted = false;
  #halfClosed = false;
  /** Bytes of messages that have arrived in part. */
  #arrivingBytes = 0;

  constructor(method: Method, calls: OpenCalls, { connection, metadata, caller, onGone }: DirectCallParts) {
    this.#method = method;
    this.#calls = calls;
    this.#caller = caller;
    this.#onGone = onGone;
    this.#metadata = metadata;
    this.#call = new ServedCall(method, calls, connection, this);
    this.#call.requestId = requestIdFrom(metadata.get(requestIdKey));
  }

  get requestId(): string {
    return this.#call.requestId;
  }

  get maxMessageBytes(): number {
    return this.#method.limits.maxMessageBytes;
  }

  start(): void {
    this.#call.start(this.#setDeadline());
  }

  /** The caller's deadline, or the server's own. Returns what is wrong with the caller's. */
  #setDeadline(): VerdictError | undefined {
    const given = givenTimeoutMs(this.metadata('grpc-timeout'));
    if (given === 'malformed') return malformedTimeout();
    const own = this.#calls.ownTimeoutMs(this.#method.route, this.metadata(envoyTimeoutKey));
    this.#call.limitTo(given ?? own);
    return undefined;
  }

  arriving(bytes: number): void {
    const change = bytes - this.#arrivingBytes;
    this.#arrivingBytes = bytes;
    this.#call.held.change(change);
  }

  message(bytes: Buffer): void {
    this.#received++;
    this.#wanted = false;
    if (bytes.length <= this.maxMessageBytes) this.#call.onMessage(bytes);
    else this.#call.fail(refusedMessage({ kind: 'too-large', bytes: bytes.length }, this.#method));
  }

  asInteractive(): void {
    if (!this.#metadata.has(serviceClassKey)) this.#metadata.set(serviceClassKey, 'interactive');
  }

  malformedMessage(error: VerdictError): void {
    this.#received++;
    this.#wanted = false;
    this.#call.onMalformed(error);
  }

  halfClose(): void {
    this.#wanted = false;
    this.#halfClosed = true;
    this.#call.onHalfClose();
  }

  fail(error: unknown): void {
    this.#call.fail(error);
  }

  /** The server is stopping: what was begun is finished, and nothing else is begun. */
  drain(error: VerdictError): void {
    this.#call.drain(error);
  }

  gone(): void {
    if (this.#gone) return;
    this.#call.leave(0);
    this.#gone = true;
    this.#call.letGo();
    this.#calls.delete(this.#call);
    this.#onGone();
  }

  get arrived(): Arrived {
    return this;
  }

  get received(): number {
    return this.#received;
  }

  get partial(): boolean {
    return this.#wanted && this.#arrivingBytes > 0;
  }

  get ended(): boolean {
    return this.#halfClosed;
  }

  metadata(key: string): string | undefined {
    return this.#metadata.get(key);
  }

  takeMetadata(key: string): string | undefined {
    const value = this.#metadata.get(key);
    this.#metadata.delete(key);
    return value;
  }

  want(): void {
    this.#wanted = true;
    this.#caller.onWanted();
  }

  send(bytes: Buffer, onTaken: () => void): void {
    this.#caller.onAnswer(bytes, onTaken);
  }

  sendEnd(status: Status, error: unknown): void {
    const retryAfterMs = error instanceof VerdictError ? error.retryAfterMs : undefined;
    this.#caller.onEnd({ code: status.code, status: Status.encode(status).finish(), retryAfterMs });
    this.#hasEnded = true;
  }

  onEnded(): void {
    this.#arrivingBytes = 0;
  }

  onShed(stalled: boolean): void {
    if (stalled) this.#caller.onCutOff();
    // One that has ended holds what it still has for nobody.
    if (stalled || this.#hasEnded) this.gone();
  }

  inspectEnded(idleMs: number): void {
    if (idleMs > this.#calls.timeLimits.messageMs) this.#caller.onCutOff();
  }
}
