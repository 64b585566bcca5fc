import { invalidArgument } from './client-error.js';
import type { RetryPolicy } from './retry.js';

/** TLS towards the server. Every value is PEM content, not a path. `{}` trusts the system's authorities. */
export interface TlsOptions {
  /** Authorities to trust instead of the system's. */
  readonly ca?: string | Buffer | undefined;
  /** The client's certificate chain, for servers that ask for one (mTLS); needs `key`. */
  readonly cert?: string | Buffer | undefined;
  /** The private key of `cert`. */
  readonly key?: string | Buffer | undefined;
  /** The name that the server's certificate must hold, where it is not the host of `address`. */
  readonly serverName?: string | undefined;
}

/** HTTP/2 pings that find a dead connection. */
export interface KeepaliveOptions {
  /** Pause between pings, in milliseconds. Default 30,000. Servers that police pings may want more. */
  readonly timeMs?: number | undefined;
  /** How long an answer may take before the connection counts as dead, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Whether to ping while no call is under way. Default true: balancers drop silent connections unnoticed. */
  readonly whenIdle?: boolean | undefined;
}

/** Headers of every call, such as `{ authorization: 'Bearer ...' }`; a function is asked anew for each call. */
export type MetadataOption = Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);

/** An API key; a function is asked anew for each call. */
export type ApiKeyOption = string | (() => string);

export interface VerdictClientOptions {
  /**
   * `host:port`, or any gRPC target such as `dns:///verdict:50051`, `ipv4:10.0.0.1:50051,10.0.0.2:50051` or
   * `unix:/run/verdict.sock`. Where it resolves to several addresses, calls go round all of them.
   * Default `127.0.0.1:50051`.
   */
  readonly address?: string | undefined;
  /** Default false: plain text. */
  readonly tls?: TlsOptions | false | undefined;
  readonly metadata?: MetadataOption | undefined;
  /** Sent with every call as `authorization: Bearer ...`, instead of what `metadata` says there. */
  readonly apiKey?: ApiKeyOption | undefined;
  /** How long a call may take where it does not say, in milliseconds. Default 30,000. Streams have no default. */
  readonly defaultTimeoutMs?: number | undefined;
  /** How failed unary and batch calls are tried again; false: not at all. */
  readonly retry?: Partial<RetryPolicy> | false | undefined;
  readonly keepalive?: KeepaliveOptions | undefined;
  /**
   * Bytes of the largest reply that is taken, whole or one message of a stream. Default 536,870,912 (512 MiB). A larger
   * one fails with RESOURCE_EXHAUSTED and the reason RESPONSE_TOO_LARGE.
   */
  readonly maxReceiveBytes?: number | undefined;
  /** Whether the proxy variables of the environment apply. Default false: calls go straight to the server. */
  readonly httpProxy?: boolean | undefined;
}

export const DEFAULT_ADDRESS = '127.0.0.1:50051';
export const DEFAULT_TIMEOUT_MS = 30_000;
/**
 * gRPC's own default, 4 MiB, is less than a server may send: all scores of 6,000 labels for 32 inputs take 8 MB. This is
 * what one call may bring at most under a server's largest settings; replies hold no more unless labels outweigh texts.
 */
export const DEFAULT_MAX_RECEIVE_BYTES = 512 * 1024 * 1024;

/** setTimeout's limit. grpc-js counts deadlines with it: a later one would have passed at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** @throws VerdictClientError INVALID_ARGUMENT unless it is a duration that a call can have */
export function checkTimeout(name: string, timeoutMs: number): number {
  if (timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS) return timeoutMs;
  throw invalidArgument(`${name} must be between 0 (exclusive) and ${MAX_TIMEOUT_MS} milliseconds`);
}

/** @throws VerdictClientError INVALID_ARGUMENT unless gRPC can count to it: a message's length has 32 bits */
export function checkMaxReceiveBytes(bytes: number): number {
  if (Number.isInteger(bytes) && bytes >= 1 && bytes < 2 ** 32) return bytes;
  throw invalidArgument(`maxReceiveBytes must be a whole number from 1 to ${2 ** 32 - 1}`);
}
