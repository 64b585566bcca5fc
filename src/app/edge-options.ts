import { maxTimerMs } from '../concurrency/max-timer.js';
import type { Config } from '../config.js';
import type { ConnectionOptions, InboundOptions } from '../rpc/server-options.js';
import { trustedProxiesIn } from './trusted-proxies.js';

/** Zero means never; grpc-js leaves out what is not there. */
export function connectionOptions(server: Config['server']): ConnectionOptions {
  return {
    ...server,
    maxConnectionAgeMs: server.maxConnectionAgeMs || maxTimerMs,
    maxConnectionAgeGraceMs: server.maxConnectionAgeGraceMs || maxTimerMs,
    trustedProxies: trustedProxiesIn(server),
  };
}

/** What messages are held to. */
export function inboundOptions({ server, limits }: Config): InboundOptions {
  return {
    compression: limits.compression === 'on',
    maxCompressionRatio: limits.maxCompressionRatio,
    maxHeldBytes: limits.maxHeldMib * 2 ** 20,
    messageTimeoutMs: server.messageTimeoutMs,
    streamIdleTimeoutMs: server.streamIdleTimeoutMs || maxTimerMs,
  };
}
