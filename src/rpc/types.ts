/** One call that ended, as the access log and the gRPC metrics see it. Holds nothing that a caller wrote. */
export interface HandledCall {
  /** `verdict.v1.ClassifierService`. */
  readonly service: string;
  /** `Classify`. */
  readonly method: string;
  /** Canonical gRPC code name: `OK`, `INVALID_ARGUMENT`. */
  readonly code: string;
  readonly durationMs: number;
  /** Accepted from `x-request-id` after checks, or made. */
  readonly requestId: string;
  /** Address of the peer. */
  readonly peer: string;
  /** Messages received and sent. */
  readonly received: number;
  readonly sent: number;
  /** The cause behind an INTERNAL status, for the log alone. */
  readonly cause: unknown;
}

/** Which limit a call was ended for: that of its connection, that of the process, or that of the heap. */
export type ShedReason = 'connection' | 'process' | 'heap';

/** Why a connection was refused: its peer had as many as one may, or all peers together had. */
export type RefusalReason = 'peer' | 'all';

/** One item of a batch or stream that ended with INTERNAL inside a call. */
export interface FailedItem {
  readonly service: string;
  readonly method: string;
  readonly requestId: string;
  /** For the log alone. */
  readonly cause: unknown;
}

/** Events for telemetry. None may throw. */
export interface RpcHooks {
  onCallStarted?(call: { readonly service: string; readonly method: string }): void;
  onCallHandled?(call: HandledCall): void;
  onItemFailed?(item: FailedItem): void;
  /** A call was ended because what is held for callers went beyond a limit. */
  onCallShed?(reason: ShedReason): void;
  onConnectionRefused?(reason: RefusalReason): void;
  /** ClassifyStream calls open at this moment. */
  onStreamsInFlight?(count: number): void;
}
