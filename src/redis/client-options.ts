import type { ClusterOptions, RedisOptions } from 'ioredis';
import { replyClass } from './reply-class.js';

export interface ClientLimits {
  /** Longest wait for a reply. */
  readonly commandTimeoutMs: number;
  /** Longest wait for a connection, and then for its handshake. */
  readonly connectTimeoutMs: number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** The client's credentials and TLS options. */
export interface ClientAccess {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: { readonly ca?: string; readonly servername?: string };
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5000;
const RETRY_JITTER_MS = 200;
const MIN_SOCKET_TIMEOUT_MS = 1000;
const DISCONNECT_TIMEOUT_MS = 200;

/**
 * Time to wait before the given attempt (from 1) to connect again: doubling, capped, and randomised so that replicas do
 * not retry together.
 */
export function reconnectDelayMs(attempt: number, random: () => number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), MAX_RETRY_MS) + random() * RETRY_JITTER_MS;
}

/**
 * Options that limit what a sick server costs to a bounded wait and no memory: nothing queues without a connection,
 * nothing is sent twice, and a connection without replies is given up.
 */
export function failOpenOptions(limits: ClientLimits) {
  return {
    ...nodeOptions(limits),
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    retryStrategy: (attempt: number) => reconnectDelayMs(attempt, limits.random),
  } satisfies RedisOptions;
}

/** The same for a cluster. */
export function failOpenClusterOptions(limits: ClientLimits, access: ClientAccess) {
  const retry = (attempt: number): number => reconnectDelayMs(attempt, limits.random);
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    clusterRetryStrategy: retry,
    clusterNodeRetryStrategy: retry,
    slotsRefreshTimeout: limits.connectTimeoutMs,
    maxRedirections: 3,
    // A later attempt would exceed the command's own limit, and hide the cause.
    retryDelayOnClusterDown: 0,
    redisOptions: { ...nodeOptions(limits), ...access },
  } satisfies ClusterOptions;
}

function nodeOptions(limits: ClientLimits) {
  return {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    connectTimeout: limits.connectTimeoutMs,
    // This also limits the handshake, for which a busy server may need more time than a read is worth. Reads and writes
    // have their own, shorter limit.
    commandTimeout: Math.max(limits.commandTimeoutMs, limits.connectTimeoutMs),
    // Commands without a reply stay in ioredis's queue: only closing the socket empties it.
    socketTimeout: Math.max(4 * limits.commandTimeoutMs, MIN_SOCKET_TIMEOUT_MS),
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    disableClientInfo: true,
    reconnectOnError: (error: Error) => replyClass(error) === 'wrong_server',
  } satisfies RedisOptions;
}
