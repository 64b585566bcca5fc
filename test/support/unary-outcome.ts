import { type CallOptions, Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';

/** What became of a unary call, and what came with it. */
export interface UnaryOutcome<Res> {
  readonly error: ServiceError | null;
  readonly response: Res | undefined;
  /** Undefined where the call ended without a response. */
  readonly headers: Metadata | undefined;
  readonly status: StatusObject;
}

interface UnaryEvents {
  on(event: 'metadata', listener: (metadata: Metadata) => void): unknown;
  on(event: 'status', listener: (status: StatusObject) => void): unknown;
}

/** Runs a unary call of a generated client to its end, good or bad. */
export function unaryOutcome<Req, Res>(
  method: (
    request: Req,
    metadata: Metadata,
    options: Partial<CallOptions>,
    callback: (error: ServiceError | null, response: Res) => void,
  ) => UnaryEvents,
  request: Req,
  fields: Readonly<Record<string, string>> = {},
  options: Partial<CallOptions> = {},
): Promise<UnaryOutcome<Res>> {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(fields)) metadata.set(key, value);
  return new Promise((resolve) => {
    let headers: Metadata | undefined;
    let ended: { error: ServiceError | null; response: Res } | undefined;
    const call = method(request, metadata, options, (error, response) => {
      ended = { error, response };
    });
    call.on('metadata', (received) => {
      headers = received;
    });
    // grpc-js calls back first and tells the status then.
    call.on('status', (status) => {
      resolve({ error: ended?.error ?? null, response: ended?.response, headers, status });
    });
  });
}
