import type { CallTrace, HandledCall, RpcMethod } from './interceptor.js';

export type {
  CallHead,
  CallObserver,
  CallStage,
  CallTrace,
  HandledCall,
  Interceptor,
  RpcMethod,
} from './interceptor.js';

/** Which limit a call was ended for: that of its connection, of its peer, of the process, or of the heap. */
export type ShedReason = 'connection' | 'peer' | 'process' | 'heap';

/** Why a connection was refused: its peer had as many as one may, or all peers together had. */
export type RefusalReason = 'peer' | 'all';

/**
 * How a connection that was let in ended:
 * - `client`: the client closed it, or it broke.
 * - `tls`: its handshake failed.
 * - `silent`: it sent no HTTP/2 for too long.
 * - `protocol`: the client broke HTTP/2.
 * - `unanswered`: a ping was not answered. Nothing is read any more where HTTP/2's library has got too many resets.
 * - `age`: it had reached its maximum age.
 * - `drain`: the server stops.
 */
export type ConnectionEnd = 'client' | 'tls' | 'silent' | 'protocol' | 'unanswered' | 'age' | 'drain';

/**
 * How a client broke HTTP/2, so that its connection ended:
 * - `not_http2`: what came first was something else.
 * - `frame`: a frame that must not come, or resets faster than HTTP/2's library takes them.
 * - `flood`: too many frames of one kind, or too many wrong ones.
 * - `goaway`: the client says that the server broke it: its GOAWAY has an error code.
 */
export type ProtocolBreach = 'not_http2' | 'frame' | 'flood' | 'goaway';

/** Who reset a stream. */
export type ResetBy = 'client' | 'server';

/** With which code, those of broken framing taken together. */
export type ResetCode =
  | 'cancel'
  | 'refused_stream'
  | 'enhance_your_calm'
  | 'internal_error'
  | 'protocol_error'
  | 'other';

/** Why a call was refused at the edge: by its form, its size, or because it kept the server waiting. */
export type CallRefusal =
  | 'malformed_message'
  | 'malformed_timeout'
  | 'message_timeout'
  | 'message_too_large'
  | 'not_a_call'
  | 'stream_idle'
  | 'too_many_fields'
  | 'too_many_watchers'
  | 'unsupported_compression';

/** One input of a batch or stream that ended with INTERNAL inside a call. */
export interface FailedInput extends RpcMethod {
  readonly requestId: string;
  /** Of the call that it belongs to. */
  readonly trace?: Pick<CallTrace, 'traceId' | 'spanId'> | undefined;
  /** For the log alone. */
  readonly cause: unknown;
}

/** One call that administered the server, or tried to after it had passed the gate. */
export type AdministrativeAct = Pick<
  HandledCall,
  'requestId' | 'service' | 'method' | 'code' | 'peer' | 'identity'
> & { readonly facts: NonNullable<HandledCall['facts']> };

/** Events for telemetry. None may throw. */
export interface RpcHooks {
  onInputFailed?(input: FailedInput): void;
  /** A call was ended because what is held for callers went beyond a limit. */
  onCallShed?(reason: ShedReason): void;
  onConnectionRefused?(reason: RefusalReason): void;
  /** A connection was let in: its end will be told, too. */
  onConnectionOpened?(): void;
  onConnectionClosed?(end: ConnectionEnd): void;
  onProtocolBreach?(breach: ProtocolBreach): void;
  /** A call's stream was reset before its connection ended, and not with NO_ERROR. */
  onStreamReset?(by: ResetBy, code: ResetCode): void;
  onCallRefused?(refusal: CallRefusal): void;
  onAdministered?(act: AdministrativeAct): void;
  /** Streams of inputs open at this moment, of ClassifyStream and of the other protocols. */
  onStreamsInFlight?(count: number): void;
}
