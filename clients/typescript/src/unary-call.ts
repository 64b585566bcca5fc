import type { Client, ClientUnaryCall, Metadata } from '@grpc/grpc-js';
import { cancelled, fromServiceError, VerdictClientError } from './client-error.js';
import type { CallLimits } from './retry.js';
import { NO_DETAILS } from './status-details.js';

/** The client's half of a generated unary method. */
export interface UnaryMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (value: Request) => Buffer;
  readonly responseDeserialize: (value: Buffer) => Response;
}

export interface UnaryAttempt extends CallLimits {
  readonly metadata: Metadata;
  readonly requestId: string | undefined;
}

/**
 * One attempt of one unary call.
 * @throws VerdictClientError, by rejection alone
 */
export function unaryCall<Request, Response>(
  channel: Client,
  method: UnaryMethod<Request, Response>,
  request: Request,
  { metadata, deadlineAt, signal, requestId }: UnaryAttempt,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(cancelled(signal));
      return;
    }
    let call: ClientUnaryCall | undefined;
    const onAbort = () => call?.cancel();
    try {
      call = channel.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadata,
        { deadline: deadlineAt },
        (error, response) => {
          signal?.removeEventListener('abort', onAbort);
          if (error !== null) {
            reject(signal?.aborted ? cancelled(signal) : fromServiceError(error, requestId));
          } else if (response !== undefined) resolve(response);
        },
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    } catch (error) {
      reject(closedError(error));
    }
  });
}

/** What grpc-js throws, rather than reports, when a call is begun: the channel has been closed. */
export function closedError(cause: unknown): VerdictClientError {
  return new VerdictClientError('CANCELLED', 'The client has been closed', {
    ...NO_DETAILS,
    reason: 'CLIENT_CLOSED',
    cause,
  });
}
