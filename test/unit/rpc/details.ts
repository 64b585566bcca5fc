import type { IncomingHttpHeaders } from 'node:http2';
import type { ServiceError } from '@grpc/grpc-js';
import {
  BadRequest,
  ErrorInfo,
  RequestInfo,
  ResourceInfo,
  RetryInfo,
} from '../../../generated/google/rpc/error_details.js';
import { Status } from '../../../generated/google/rpc/status.js';

/** google.rpc details, decoded. */
export interface Details {
  readonly code: number;
  readonly reason: string | undefined;
  readonly domain: string | undefined;
  readonly fields: string[];
  readonly retryMs: number | undefined;
  readonly resource: { readonly type: string; readonly name: string } | undefined;
  readonly requestId: string | undefined;
}

const prefix = 'type.googleapis.com/google.rpc.';

export function decodeStatus(status: Status): Details {
  const find = <T>(name: string, type: { decode(bytes: Uint8Array): T }): T | undefined => {
    const any = status.details.find(({ typeUrl }) => typeUrl === prefix + name);
    return any === undefined ? undefined : type.decode(any.value);
  };
  const info = find('ErrorInfo', ErrorInfo);
  const delay = find('RetryInfo', RetryInfo)?.retryDelay;
  const resource = find('ResourceInfo', ResourceInfo);
  return {
    code: status.code,
    reason: info?.reason,
    domain: info?.domain,
    fields: find('BadRequest', BadRequest)?.fieldViolations.map(({ field }) => field) ?? [],
    retryMs: delay === undefined ? undefined : Number(delay.seconds) * 1000 + delay.nanos / 1e6,
    resource:
      resource === undefined ? undefined : { type: resource.resourceType, name: resource.resourceName },
    requestId: find('RequestInfo', RequestInfo)?.requestId,
  };
}

/** The details of a failed call. */
export function detailsOf(error: Pick<ServiceError, 'metadata'> | null): Details {
  const [bytes] = error?.metadata.get('grpc-status-details-bin') ?? [];
  if (!Buffer.isBuffer(bytes)) throw new Error('the call carries no details');
  return decodeStatus(Status.decode(bytes));
}

/** The reason and the message of a status, from the headers or trailers that carry it. */
export function statusOfTrailers(trailers: IncomingHttpHeaders): {
  readonly reason: string | undefined;
  readonly message: string;
} {
  const details = trailers['grpc-status-details-bin'];
  const reason =
    details === undefined
      ? undefined
      : decodeStatus(Status.decode(Buffer.from(details.toString(), 'base64'))).reason;
  return { reason, message: decodeURI(String(trailers['grpc-message'] ?? '')) };
}
