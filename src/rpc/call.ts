import { setMaxListeners } from 'node:events';
import { Metadata, ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { Status } from '../../generated/google/rpc/status.js';
import { maxTimerMs } from '../concurrency/max-timer.js';
import { callerLeft, deadlineExceeded, shuttingDown, VerdictError } from '../errors.js';
import { causeOf } from './cause-of.js';
import { malformed } from './codec.js';
import { fromLibrary, malformedMessage } from './library-status.js';
import type { OpenCall, OpenCalls } from './open-calls.js';
import { envoyTimeoutKey, ownTimeoutMs } from './own-timeout.js';
import { requestIdFrom, requestIdKey } from './request-id.js';
import type { AnyRoute, Call, CallHandler } from './route.js';
import { setRetryDelay } from './set-retry-delay.js';
import { asVerdictError, codeNames, okStatus, statusOf } from './status.js';
import { transcodedKey } from './transcoded-key.js';

/** The inbound events of a call. grpc-js does not export the type by name. */
type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];

const detailsKey = 'grpc-status-details-bin';

/** How much later than the caller a deadline may pass here: the way of the headers, and rounding. */
const transitMs = 5;

function onTimeout(call: RpcCall): void {
  call.interrupt(deadlineExceeded());
}

/**
 * One call, and the only code that touches a grpc-js call object.
 *
 * It stands where grpc-js has its server interceptors, and it does not pass the call on: the streams that grpc-js
 * hands to method handlers (a Node Writable for a unary call, a Duplex for a stream) cost more than all that this
 * service does on a cache hit, read ahead, write one message per turn, and can lose the status of a call for good.
 * Below an interceptor the call is bare: `startRead` brings one message, `sendMessage` reports when the connection
 * has taken it. So back-pressure is exact, messages of one turn leave in one write, and every call passes here,
 * whatever ends it.
 */
export class RpcCall extends ServerInterceptingCall implements Listener, Call<unknown>, OpenCall {
  readonly arrivedAt = performance.now();
  requestId = '';
  deadlineAt = Number.POSITIVE_INFINITY;

  readonly #base: ServerInterceptingCallInterface;
  readonly #sendStatus: ServerInterceptingCallInterface['sendStatus'];
  readonly #route: AnyRoute;
  readonly #calls: OpenCalls;
  #metadata: Metadata | undefined;
  #handler: CallHandler<unknown> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #controller: AbortController | undefined;
  #state: 'open' | 'ending' | 'ended' = 'open';
  #headersSent = false;
  #received = 0;
  #sent = 0;

  constructor(base: ServerInterceptingCallInterface, route: AnyRoute, calls: OpenCalls) {
    super(base);
    this.#base = base;
    this.#route = route;
    this.#calls = calls;
    // What grpc-js ends by itself (deadline, message too large, ...) reaches no interceptor. Standing before the
    // method on this one object lets such a call have its request id, its details and its line in the log. Should
    // a later grpc-js not go through the method any more, these calls count as cancelled; no more is lost.
    this.#sendStatus = base.sendStatus.bind(base);
    base.sendStatus = (status) => {
      if (this.#state === 'open') {
        this.#end(fromLibrary(status, this.requestId), status);
      } else {
        this.#sendStatus(status);
      }
    };
  }

  /** grpc-js starts the call for its own handler; the route answers in that one's place. */
  override start(): void {
    this.#base.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#metadata = metadata;
    this.requestId = requestIdFrom(metadata.get(requestIdKey)[0]);
    this.#calls.add(this);
    this.#calls.hooks.onCallStarted?.(this.#route);
    this.#setDeadline();
    try {
      this.#handler = this.#route.open(this);
      this.read();
    } catch (error) {
      this.fail(error);
    }
  }

  onReceiveMessage(message: unknown): void {
    this.#received++;
    const handler = this.#handler;
    if (this.#state !== 'open' || handler === undefined) return;
    try {
      if (message !== malformed) handler.onMessage(message);
      else if (handler.onMalformed !== undefined) handler.onMalformed();
      else this.fail(malformedMessage());
    } catch (error) {
      this.fail(error);
    }
  }

  onReceiveHalfClose(): void {
    if (this.#state !== 'open') return;
    try {
      this.#handler?.onHalfClose();
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * The HTTP/2 stream is gone: always the last event, also of a call that went well. A caller whose deadline passes
   * resets the stream, often before the deadline has passed here: that is no change of mind.
   */
  onCancel(): void {
    if (this.#state !== 'open') return;
    if (performance.now() >= this.deadlineAt - transitMs) {
      this.#close('DEADLINE_EXCEEDED', deadlineExceeded(), undefined);
    } else {
      this.#close('CANCELLED', callerLeft(), undefined);
    }
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // Every item in flight listens: that is no leak.
      setMaxListeners(0, this.#controller.signal);
      if (this.#state === 'ended') this.#controller.abort(shuttingDown());
    }
    return this.#controller.signal;
  }

  metadata(key: string): string | undefined {
    const value = this.#metadata?.get(key)[0];
    return typeof value === 'string' ? value : undefined;
  }

  read(): void {
    if (this.#state === 'open') this.#base.startRead();
  }

  send(message: unknown, onWritten: () => void): void {
    if (this.#state === 'ended') return;
    if (!this.#headersSent) {
      this.#headersSent = true;
      const metadata = new Metadata();
      metadata.set(requestIdKey, this.requestId);
      this.#base.sendMetadata(metadata);
    }
    this.#sent++;
    this.#base.sendMessage(message, onWritten);
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

  itemStatus(error: unknown): Status {
    const known = asVerdictError(error);
    if (known.code === 'internal') {
      const { service, method } = this.#route;
      this.#calls.hooks.onItemFailed?.({ service, method, requestId: this.requestId, cause: causeOf(known) });
    }
    return statusOf(known, this.requestId);
  }

  drain(): void {
    this.#handler?.onDrain();
  }

  interrupt(error: VerdictError): void {
    this.fail(error);
  }

  /** grpc-js keeps the caller's deadline. Else the default one is kept here, or that of Envoy's route if shorter. */
  #setDeadline(): void {
    const callers = Number(this.#base.getDeadline());
    if (callers !== Number.POSITIVE_INFINITY) {
      this.deadlineAt = this.arrivedAt + callers - Date.now();
      return;
    }
    const fallback = this.#route.shape === 'unary' ? this.#calls.defaultDeadlineMs : Number.POSITIVE_INFINITY;
    const timeoutMs = ownTimeoutMs(this.metadata(envoyTimeoutKey), fallback);
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    this.deadlineAt = this.arrivedAt + timeoutMs;
    this.#timer = setTimeout(onTimeout, Math.min(timeoutMs, maxTimerMs), this);
  }

  #end(status: Status, error: unknown): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#handler?.beforeEnd?.(status);
    let metadata: Metadata | null = null;
    if (status.code !== okStatus.code) {
      metadata = new Metadata();
      metadata.set(detailsKey, Buffer.from(Status.encode(status).finish()));
      if (!this.#headersSent) metadata.set(requestIdKey, this.requestId);
      const retryAfterMs = error instanceof VerdictError ? error.retryAfterMs : undefined;
      if (retryAfterMs !== undefined)
        setRetryDelay(metadata, retryAfterMs, this.metadata(transcodedKey) !== undefined);
    }
    this.#sendStatus({ code: status.code, details: status.message, metadata });
    const code = codeNames.get(status.code) ?? 'UNKNOWN';
    this.#close(code, error, code === 'INTERNAL' ? causeOf(error) : undefined);
  }

  #close(code: string, error: unknown, cause: unknown): void {
    this.#state = 'ended';
    clearTimeout(this.#timer);
    if (error !== undefined) this.#controller?.abort(error);
    this.#handler?.onClose?.();
    // Node keeps what an HTTP/2 stream leads to until a full collection, and this call is part of it.
    this.#handler = undefined;
    this.#metadata = undefined;
    this.#timer = undefined;
    const hooks = this.#calls.hooks;
    if (hooks.onCallHandled !== undefined) {
      const { remoteAddress, remotePort } = this.#base.getConnectionInfo();
      hooks.onCallHandled({
        service: this.#route.service,
        method: this.#route.method,
        code,
        durationMs: performance.now() - this.arrivedAt,
        requestId: this.requestId,
        peer: remotePort === undefined ? (remoteAddress ?? 'unknown') : `${remoteAddress}:${remotePort}`,
        received: this.#received,
        sent: this.#sent,
        cause,
      });
    }
    this.#calls.delete(this);
  }
}
