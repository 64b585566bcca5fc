import type { Config } from '../config.js';
import { HttpServer, type HttpTls } from '../http/http-server.js';
import type { ModelCatalog } from '../models/types.js';
import type { RpcServer } from '../rpc/server.js';
import type { RpcHooks } from '../rpc/types.js';

/** The share of the connections there is room for that may come over HTTP: at most one in so many. */
const httpShare = 4;

/** The HTTP port for callers; undefined where it is off. */
export function openHttpServer(
  { http, server, limits }: Pick<Config, 'http' | 'server' | 'limits'>,
  parts: {
    readonly rpc: RpcServer;
    readonly descriptorSet: Uint8Array;
    /** Of the server. */
    readonly version: string;
    readonly catalog: ModelCatalog;
    readonly tls: HttpTls | undefined;
    readonly hooks: Pick<RpcHooks, 'onConnectionRefused' | 'onCallRefused'>;
  },
): HttpServer | undefined {
  if (http.listen === 'off') return undefined;
  const { rpc, descriptorSet, version, catalog, tls, hooks } = parts;
  return new HttpServer({
    ...http,
    calls: rpc.direct,
    descriptorSet,
    about: { version, maxBatchInputs: limits.maxBatchInputs, streamWindow: limits.streamWindow },
    bodies: { compression: limits.compression === 'on', maxCompressionRatio: limits.maxCompressionRatio },
    catalog,
    tls,
    onRefused: () => hooks.onCallRefused?.('not_a_call'),
    connections: {
      maxConnections: server.maxConnections,
      maxConnectionsPerPeer: server.maxConnectionsPerPeer,
      onRefused: (reason) => hooks.onConnectionRefused?.(reason),
    },
  });
}

/** Divides the connections that there are descriptors for between the two ports for callers. */
export function dividedRoom(room: number, http: HttpServer | undefined): { grpc: number; http: number } {
  if (http === undefined) return { grpc: room, http: 0 };
  const ofHttp = Math.floor(room / httpShare);
  return { grpc: room - ofHttp, http: ofHttp };
}
