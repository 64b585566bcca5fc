import { Metadata } from '@grpc/grpc-js';
import { Status } from '../../generated/google/rpc/status.js';
import { VerdictError } from '../errors.js';
import { setRetryDelay } from './set-retry-delay.js';

const detailsKey = 'grpc-status-details-bin';

/**
 * What goes out with a status that is not OK: its details, and when to try again.
 * @param error what the status was made of
 * @param transcoded whether the caller speaks HTTP, through Envoy's transcoder
 */
export function statusMetadata(status: Status, error: unknown, transcoded: boolean): Metadata {
  const metadata = new Metadata();
  metadata.set(detailsKey, Buffer.from(Status.encode(status).finish()));
  const retryAfterMs = error instanceof VerdictError ? error.retryAfterMs : undefined;
  if (retryAfterMs !== undefined) setRetryDelay(metadata, retryAfterMs, transcoded);
  return metadata;
}
