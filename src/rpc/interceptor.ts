import type { Identity } from '../auth/identity.js';
import type { InputTrace } from '../claim.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import type { TlsIdentity } from '../tls/client-certificate.js';

/** A method on the port, as metrics and logs name it. */
export interface RpcMethod {
  /** `verdict.v1.ClassifierService`. */
  readonly service: string;
  /** `Classify`. */
  readonly method: string;
}

/** A stage of a call before its inputs go on their own ways, as its trace names it. */
export type CallStage = 'receive' | 'validate';

/** The trace that a call belongs to, and what it is told. */
export interface CallTrace {
  /** As W3C Trace Context writes it: 32 hexadecimal digits. */
  readonly traceId: string;
  /** Of the call's own span: 16 hexadecimal digits. Undefined: nothing of the call is recorded. */
  readonly spanId: string | undefined;
  /** A stage has ended. Times are performance.now() milliseconds. */
  stage(name: CallStage, startedAt: number, endedAt: number): void;
  /** The trace of one more input; undefined if that one is not recorded. To be called once for each, in order. */
  input(): InputTrace | undefined;
}

/** What an administrative call asks for, in names and numbers: never a text, a key or a credential. */
export type ActFacts = Readonly<Record<string, string | number | readonly string[]>>;

/** One call that ended, as the access log and the gRPC metrics see it. Holds nothing that a caller wrote. */
export interface HandledCall extends RpcMethod {
  /** Canonical gRPC code name: `OK`, `INVALID_ARGUMENT`. */
  readonly code: string;
  readonly durationMs: number;
  /** Accepted from `x-request-id` after checks, or made. */
  readonly requestId: string;
  /** Address of the peer. */
  readonly peer: string;
  /** The name of its identity, else the first name in the client's certificate, where there is one. Never a credential. */
  readonly identity?: string | undefined;
  /** Undefined: it belongs to none. */
  readonly trace?: Pick<CallTrace, 'traceId' | 'spanId'> | undefined;
  /** Messages received and sent. */
  readonly received: number;
  readonly sent: number;
  /** The cause behind an INTERNAL status, for the log alone. */
  readonly cause: unknown;
  /** Of a call that administers the server, once it has been read. */
  readonly facts?: ActFacts | undefined;
}

/** The head of a call, as interceptors see it. */
export interface CallHead {
  /** `unknown`, like the method, if the port does not answer it. */
  readonly service: string;
  readonly method: string;
  readonly requestId: string;
  /** Who calls, by address. */
  readonly peer: string;
  /** The address of the other end of the connection, whatever headers say; `unknown` once that has ended. */
  readonly address: string;
  /**
   * Who calls, by the client's certificate: undefined without TLS, and for a client that has shown none. Of a proxy's calls, the
   * proxy.
   */
  readonly tlsIdentity: TlsIdentity | undefined;
  /** When its headers arrived; performance.now() milliseconds. */
  readonly arrivedAt: number;
  /** performance.now() milliseconds; Infinity: none. */
  readonly deadlineAt: number;
  /** Aborted when the call ends in any way but OK. */
  readonly signal: AbortSignal;
  /** The first value of a metadata key. */
  metadata(key: string): string | undefined;
  /** The same, once: nobody can read it afterwards, and the call no longer holds it. For credentials. */
  takeMetadata(key: string): string | undefined;
  /**
   * Sets who calls: everything that this caller sends, on any connection, is one flow. By default the caller is the names in
   * its certificate, else its connection, or the address that a trusted proxy names. May be called again while the call lasts.
   */
  identify(identity: Identity): void;
  /** Sets the trace that the call belongs to. */
  follow(trace: CallTrace): void;
  /** Ends the call with an error. Only the first end counts. */
  fail(error: unknown): void;
}

/** What an interceptor is told about a call that passed it. */
export interface CallObserver {
  /** The call has ended, whatever ended it. Called once. Must not throw. */
  onEnd(call: HandledCall): void;
}

/**
 * A step that every call passes: on the way in, in the order of the list, before its first message is read; on the way out, in
 * reverse order. Identity, limits, tracing, metrics and the log are interceptors.
 */
export interface Interceptor {
  /** The metadata keys that it reads. Keys that nobody reads are dropped when the call arrives. */
  readonly metadataKeys?: readonly string[];
  /** Those of which it reads only whether they are there: the value is dropped, and reads as `present`. */
  readonly presenceKeys?: readonly string[];
  /** Called once, before the first call, with all methods that the port answers. */
  prepare?(methods: readonly RpcMethod[]): void;
  /**
   * A call has arrived. An interceptor that needs time returns a promise; the caller's messages wait in the network meanwhile.
   * @throws VerdictError, or rejects with one: the call ends with it and passes no further interceptor. Those it has passed are told
   */
  intercept(call: CallHead): MaybePromise<CallObserver | undefined>;
}
