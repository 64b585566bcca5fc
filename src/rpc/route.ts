import type { Status } from '../../generated/google/rpc/status.js';
import type { Identity } from '../auth/identity.js';
import type { VerdictError } from '../errors.js';
import type { MessageType } from './codec.js';
import type { ActFacts, CallTrace } from './interceptor.js';

/** One call, as the code that answers it sees it. */
export interface Call<Res> {
  /** Echoed to the caller and written to the log. */
  readonly requestId: string;
  /** Who calls, as the limits for each caller tell them apart. */
  readonly peer: string;
  /** The same by identity: all that one caller sends competes as one with what others send. */
  readonly caller: object;
  /** Its name: the same on all its connections, and on all servers. */
  readonly callerName: string;
  /** Who calls and what is open to them, as of now. Undefined: the server asks nobody who they are, and all is open. */
  readonly identity: Identity | undefined;
  /** The trace that it belongs to; undefined: none. */
  readonly trace: CallTrace | undefined;
  /** When its headers arrived; performance.now() milliseconds. */
  readonly arrivedAt: number;
  /** The caller's deadline or the default one; performance.now() milliseconds; Infinity: none. */
  readonly deadlineAt: number;
  /** Aborted when the call ends in any way but OK. Made on first use: an answer from memory needs none. */
  readonly signal: AbortSignal;
  /** The first value of a metadata key. */
  metadata(key: string): string | undefined;
  /** Says for the audit log what the call asks for. Of methods that administer the server, after validation. */
  audit(facts: ActFacts): void;
  /** Asks for one more message: one `onMessage`, `onMalformed` or `onHalfClose` will follow, perhaps at once. */
  read(): void;
  /** So many bytes of requests are kept until `release`, or the end of the call: the server bounds what it holds. */
  hold(bytes: number): void;
  release(bytes: number): void;
  /** Sends a message. `onWritten` is called once the connection has taken it; never if the call ends before. */
  send(message: Res, onWritten: () => void): void;
  /** Ends the call with OK. What was sent is delivered first. Only the first end counts. */
  finish(): void;
  /** Ends the call with an error. */
  fail(error: unknown): void;
  /** Ends the call with a status that no VerdictError has. */
  end(status: Status): void;
  /** The status of one input that failed inside the call. What is internal goes to the log. */
  inputStatus(error: unknown): Status;
}

/** What answers one call. Its methods are called one at a time; what they throw fails the call. */
export interface CallHandler<Req> {
  /** @param bytes its length on the wire, inflated */
  onMessage(message: Req, bytes: number): void;
  /** The message did not decode, or must not be decoded. Without this method the call fails. */
  onMalformed?(error: VerdictError): void;
  /** The caller sends nothing more. */
  onHalfClose(): void;
  /** The server is stopping, or the connection is: finish what was begun, begin nothing, end with the error. */
  onDrain(error: VerdictError): void;
  /** Last chance to send: the call is about to end with this status, for whatever reason but the caller leaving. */
  beforeEnd?(status: Status): void;
  /** The call is over. */
  onClose?(): void;
}

/** One method of one service. */
export interface Route<Req, Res> {
  /** `verdict.v1.ClassifierService`. */
  readonly service: string;
  /** `Classify`. */
  readonly method: string;
  readonly shape: 'unary' | 'serverStream' | 'bidi';
  readonly requestType: MessageType<Req>;
  readonly responseType: MessageType<Res>;
  /** Bytes of the largest request that can be valid. */
  readonly maxRequestBytes: number;
  /** A stream on which nothing may happen for as long as it likes. */
  readonly mayIdle?: boolean;
  /** Called once per call, before the first message; that one has been asked for already. */
  open(call: Call<Res>): CallHandler<Req>;
}

/** Routes of different messages, side by side. */
export type AnyRoute = Route<unknown, unknown>;
