import type { Socket } from 'node:net';
import type { VerdictError } from '../errors.js';

/** Who makes a direct call: what it is told. Its methods are called one at a time, and must not throw. */
export interface DirectCaller {
  /** One more message is wanted: `message`, `malformedMessage` or `halfClose` has to follow, perhaps at once. */
  onWanted(): void;
  /** An answer, encoded. Once it is out of the process's hands the caller says so by `onTaken`. */
  onAnswer(bytes: Uint8Array, onTaken: () => void): void;
  /** The call has ended. After the last answer is out, or the connection has ended, the caller says `gone`. */
  onEnd(end: CallEnd): void;
  /** It does not take its answers: they are not wanted any more, and its connection has to go. */
  onCutOff(): void;
}

/** A unary method as callers in this process know it: its path, and the codec of its messages. */
export interface DirectMethod<Req, Res> {
  /** `/service/method`. */
  readonly path: string;
  /** @throws VerdictError invalid_argument for what is no request of the method */
  encode(request: Req): Buffer;
  decode(bytes: Uint8Array): Res;
}

/** How a direct call ended. */
export interface CallEnd {
  /** Of google.rpc.Code. */
  readonly code: number;
  /** The google.rpc.Status, encoded, with its details. */
  readonly status: Uint8Array;
  /** When trying again may help, in milliseconds from now. */
  readonly retryAfterMs: number | undefined;
}

/** A direct call, as its caller sees it. */
export interface OpenedCall {
  readonly requestId: string;
  /** Bytes of the largest message that is taken. */
  readonly maxMessageBytes: number;
  /** Takes the call in. Everything else is told to the caller. */
  start(): void;
  /** So many bytes of a message wait at the caller: the server bounds what it holds. May end the call. */
  arriving(bytes: number): void;
  message(bytes: Buffer): void;
  /** It has one input alone, which competes as that of a unary call does, and not as one of a batch. */
  asInteractive(): void;
  /** There was a message, but none that can be had. */
  malformedMessage(error: VerdictError): void;
  /** Ends the call with an error. */
  fail(error: unknown): void;
  /** No message follows. */
  halfClose(): void;
  /** The last word has left, or the caller has. Called at least once. */
  gone(): void;
}

/** A request as HTTP brings it. */
export interface DirectRequest {
  readonly socket: Socket;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Names and values in turns, as they came. */
  readonly rawHeaders: readonly string[];
}
