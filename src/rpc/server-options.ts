import type { ServerOptions } from '@grpc/grpc-js';
import type { RpcTls } from './handshakes.js';

/** What one request may hold at most. */
export interface RequestLimits {
  /** UTF-16 units of one text; of each of the two in a pair. */
  readonly maxTextChars: number;
  /** Inputs of one BatchClassify. */
  readonly maxBatchInputs: number;
}

/** How long connections live, and how much one of them may ask for at once. */
export interface ConnectionOptions {
  /** Connections at once; more are dropped. 10,000. */
  readonly maxConnections?: number;
  /** Of these, of one peer: at most half, so that others get in. 1,000. */
  readonly maxConnectionsPerPeer?: number;
  /** Addresses and networks of proxies whose `x-forwarded-for` says who calls. None. */
  readonly trustedProxies?: readonly string[];
  /** Calls at once on one connection; further ones wait in the client. 1,024. */
  readonly maxConcurrentStreams?: number;
  /** A ping after this long without news from the peer. 60 s. */
  readonly keepaliveTimeMs?: number;
  /** A ping unanswered for this long ends the connection. 20 s. */
  readonly keepaliveTimeoutMs?: number;
  /** A connection older than this is told to move on, so that balancers can spread load anew. 30 min ± 10 %. */
  readonly maxConnectionAgeMs?: number;
  /** How long its calls may be without a message after that; then they end with UNAVAILABLE. 5 min. */
  readonly agedConnectionIdleMs?: number;
  /** How long they may go on; then they finish what they hold and end with UNAVAILABLE. Until they end. */
  readonly maxConnectionAgeGraceMs?: number;
}

/** What callers may make the server take in, hold and wait for. */
export interface InboundOptions {
  /** Whether compressed messages are taken. They are. */
  readonly compression?: boolean;
  /** How many bytes may come of one compressed byte. 200. */
  readonly maxCompressionRatio?: number;
  /** Bytes held for all callers together, in both directions. 256 MiB, a quarter of the heap at most. */
  readonly maxHeldBytes?: number;
  /** From the first byte of a message to its last. 30 s. */
  readonly messageTimeoutMs?: number;
  /** How long a stream may be without a message. 1 h. */
  readonly streamIdleTimeoutMs?: number;
}

export interface RpcServerOptions extends RequestLimits {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Inputs that one ClassifyStream holds at a time: read, and their answers not yet taken by the connection. */
  readonly streamWindow: number;
  /** How long a unary or batch call may take when the caller sets no deadline, and each input of a stream. */
  readonly defaultDeadlineMs: number;
  /** Health Watch calls at once. 1,000. */
  readonly maxWatchers?: number;
  /** Of these, of one peer. 100. */
  readonly maxWatchersPerPeer?: number;
  readonly inbound?: InboundOptions;
  readonly connection?: ConnectionOptions;
  /** Plain HTTP/2 without it. */
  readonly tls?: RpcTls | undefined;
}

/** Bytes of a request that holds a name at most: of health, reflection and the model service. */
export const smallRequestBytes = 4096;

/** Names in one request of the model service. With tags and lengths they fit in a small request where they are not all long. */
export const maxModelNames = 64;

/** Shares in one request: none is below a percent. */
export const maxShares = 100;

/** Longest UTF-8 form of one UTF-16 unit; a surrogate pair takes four bytes for two units. */
const bytesPerChar = 3;
/** Tags, lengths, model, version, id and options around the texts, generously. */
const bytesPerInput = 64;
const bytesPerMessage = 4096;

/**
 * Bytes of the largest message that can be valid: a batch of the most pairs of the longest texts. Anything longer
 * is refused from its length prefix, before it is read.
 */
export function maxReceiveBytes({ maxTextChars, maxBatchInputs }: RequestLimits): number {
  return maxBatchInputs * (2 * bytesPerChar * maxTextChars + bytesPerInput) + bytesPerMessage;
}

/** Bytes of a message that holds one input, and names, at most. */
export function maxInputBytes({ maxTextChars }: Pick<RequestLimits, 'maxTextChars'>): number {
  return 2 * bytesPerChar * maxTextChars + bytesPerMessage;
}

/**
 * The options in grpc-js's words. Channelz is off: it costs a fifth of the CPU of a call, and nobody asks it. There
 * is no idle limit, which would cost every call a listener: the age limit ends idle connections as well. That limit is kept
 * by ConnectionWatch: grpc-js would cut calls off without a status.
 */
export function channelOptions(options: RpcServerOptions): ServerOptions {
  const connection = options.connection ?? {};
  return {
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': maxReceiveBytes(options),
    'grpc.max_concurrent_streams': connection.maxConcurrentStreams ?? 1024,
    'grpc.keepalive_time_ms': connection.keepaliveTimeMs ?? 60_000,
    'grpc.keepalive_timeout_ms': connection.keepaliveTimeoutMs ?? 20_000,
  };
}
