import { Cluster, Redis } from 'ioredis';
import {
  type ClientAccess,
  type ClientLimits,
  failOpenClusterOptions,
  failOpenOptions,
  reconnectDelayMs,
} from './client-options.js';
import { parseEndpoints } from './endpoints.js';

export interface ClientOptions extends ClientLimits {
  /** One URL, or several separated by commas: Sentinels, or nodes of a cluster. */
  readonly url: string;
  readonly mode: 'single' | 'sentinel' | 'cluster';
  /** Name of the master that the Sentinels watch. */
  readonly sentinelName?: string | undefined;
  /** Certificates, in PEM, of the authorities to trust for `rediss://`. Default: Node's own. */
  readonly ca?: string | undefined;
  /** The name that a server's certificate must hold. Default: the host of the URL. */
  readonly servername?: string | undefined;
}

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;

/**
 * Makes the ioredis client for the URLs. It does not connect yet.
 * @throws Error for an impossible URL or mode; its message holds no credentials
 */
export function createClient(options: ClientOptions): Redis | Cluster {
  const { mode, sentinelName } = options;
  const endpoints = parseEndpoints(options.url, mode === 'sentinel' ? SENTINEL_PORT : REDIS_PORT);
  const { nodes, username, password, db } = endpoints;
  const tls = endpoints.tls ? { tls: tlsOptions(options) } : {};
  const access: ClientAccess = {
    ...tls,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };

  if (mode === 'cluster') {
    // TLS checks nodes by name, so names must not be resolved to addresses first.
    const dnsLookup = endpoints.tls ? { dnsLookup: keepName } : {};
    return new Cluster([...nodes], { ...failOpenClusterOptions(options, access), ...dnsLookup });
  }
  if (mode === 'sentinel') {
    if (sentinelName === undefined) throw new Error('sentinel mode needs the name of the master');
    return new Redis({
      ...failOpenOptions(options),
      ...access,
      db,
      name: sentinelName,
      sentinels: [...nodes],
      sentinelCommandTimeout: options.connectTimeoutMs,
      sentinelRetryStrategy: (attempt: number) => reconnectDelayMs(attempt, options.random),
      ...(username === undefined ? {} : { sentinelUsername: username }),
      ...(password === undefined ? {} : { sentinelPassword: password }),
      ...(endpoints.tls ? { sentinelTLS: tlsOptions(options), enableTLSForSentinelMode: true } : {}),
    });
  }
  const [node] = nodes;
  if (node === undefined || nodes.length > 1) throw new Error('single mode takes one Redis URL');
  return new Redis({ ...failOpenOptions(options), ...access, ...node, db });
}

function tlsOptions({ ca, servername }: ClientOptions): { ca?: string; servername?: string } {
  return { ...(ca === undefined ? {} : { ca }), ...(servername === undefined ? {} : { servername }) };
}

function keepName(name: string, done: (error: null, address: string) => void): void {
  done(null, name);
}
