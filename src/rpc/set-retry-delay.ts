import type { Metadata } from '@grpc/grpc-js';

/** What gRPC's own retries read: milliseconds. */
const pushbackKey = 'grpc-retry-pushback-ms';
/** What HTTP clients read: whole seconds. */
const retryAfterKey = 'retry-after';

/**
 * Tells in a refusal when to try again, for clients that decode no error details.
 * @param transcoded whether the caller speaks HTTP, through Envoy's transcoder, which makes metadata headers
 */
export function setRetryDelay(metadata: Metadata, retryAfterMs: number, transcoded: boolean): void {
  if (transcoded) metadata.set(retryAfterKey, String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  else metadata.set(pushbackKey, String(Math.ceil(retryAfterMs)));
}
