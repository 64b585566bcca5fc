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
  onAdministered?(act: AdministrativeAct): void;
  /** ClassifyStream calls open at this moment. */
  onStreamsInFlight?(count: number): void;
}
