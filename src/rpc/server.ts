import { getHeapStatistics } from 'node:v8';
import { logVerbosity, Server, setLogVerbosity } from '@grpc/grpc-js';
import { FileDescriptorSet } from '../../generated/google/protobuf/descriptor.js';
import { maxTimerMs } from '../concurrency/max-timer.js';
import { untilAborted } from '../concurrency/until-aborted.js';
import { shuttingDown } from '../errors.js';
import type { ModelCatalog } from '../models/types.js';
import { bareCodecs } from './codec.js';
import { ConnectionEnds } from './connection-ends.js';
import { ConnectionWatch } from './connection-watch.js';
import { Connections } from './connections.js';
import { DescriptorIndex } from './descriptor-index.js';
import { DirectCalls } from './direct-calls.js';
import { filterHeads, http2ServersOf, verifySeam } from './grpc-seam.js';
import { Health } from './health.js';
import { watchHeap } from './heap-watch.js';
import type { Interceptor } from './interceptor.js';
import { Listener } from './listener.js';
import { Method } from './method.js';
import { OpenCalls } from './open-calls.js';
import { Peers } from './peer.js';
import { reflectionRoutes, reflectionServices } from './reflection.js';
import { RequestHeads } from './request-heads.js';
import { RequestSchema, repeatedLimits } from './request-schema.js';
import type { AnyRoute } from './route.js';
import { RpcCall } from './rpc-call.js';
import { channelOptions, type RpcServerOptions } from './server-options.js';
import type { RpcHooks } from './types.js';
import { unknownMethod, useForUnknownMethods } from './unknown-method.js';

export interface RpcServerParts {
  /** What is answered besides health and reflection. */
  readonly routes: readonly AnyRoute[];
  /** The models, for health. */
  readonly catalog: ModelCatalog;
  /** The contract as a google.protobuf.FileDescriptorSet, for reflection. */
  readonly descriptorSet: Uint8Array;
  readonly options: RpcServerOptions;
  /** The steps that every call passes, the outermost first. */
  readonly interceptors: readonly Interceptor[];
  readonly hooks: RpcHooks;
}

/** What one connection, and all connections of one peer, may make the server hold, of what all may. */
const maxCallerShare = 1 / 2;
/** And one message. */
const maxMessageShare = 1 / 8;

/** All headers of a call: twice what most gRPC servers take. */
const maxHeaderListBytes = 16 * 1024;

/** How long a new connection may take to send what every HTTP/2 client begins with. */
const prefaceMs = 10_000;

/** How long the last statuses may take to leave once every call has ended. */
const flushMs = 1_000;

/** The gRPC server: the services that it is given, health and reflection on one port. */
export class RpcServer {
  /** The way in for other protocols than gRPC. */
  readonly direct: DirectCalls;
  readonly #options: RpcServerOptions;
  readonly #calls: OpenCalls;
  readonly #health: Health;
  readonly #listener: Listener;
  readonly #watch: ConnectionWatch;
  readonly #stopHeapWatch: () => void;

  /** @throws Error when the descriptor set does not decode */
  constructor(parts: RpcServerParts) {
    const { catalog, descriptorSet, options, interceptors, hooks } = parts;
    this.#options = options;
    const { inbound = {}, connection = {} } = options;
    const connections = new Connections(new Peers(connection.trustedProxies));
    const maxBytes = Math.min(inbound.maxHeldBytes ?? 256 * 2 ** 20, getHeapStatistics().heap_size_limit / 4);
    this.#calls = new OpenCalls({
      hooks,
      interceptors,
      defaultDeadlineMs: options.defaultDeadlineMs,
      timeLimits: {
        messageMs: inbound.messageTimeoutMs ?? 30_000,
        streamIdleMs: inbound.streamIdleTimeoutMs ?? 3_600_000,
      },
      connections,
      held: {
        maxBytes,
        maxConnectionBytes: maxBytes * maxCallerShare,
        maxPeerBytes: maxBytes * maxCallerShare,
      },
    });
    this.#health = new Health({
      catalog,
      maxWatchers: options.maxWatchers ?? 1_000,
      maxWatchersPerPeer: options.maxWatchersPerPeer ?? 100,
    });
    const routes = [...parts.routes, ...this.#health.routes()];
    const services = [...new Set(routes.map(({ service }) => service)), ...reflectionServices];
    const set = FileDescriptorSet.decode(descriptorSet);
    routes.push(...reflectionRoutes(new DescriptorIndex(descriptorSet, set), services.sort()));
    for (const interceptor of interceptors) interceptor.prepare?.(routes);
    const methods = this.#methods(routes, new RequestSchema(set), maxBytes);
    const grpc = this.#grpcServer(methods);
    const ends = new ConnectionEnds();
    this.#listener = new Listener(grpc, {
      maxConnections: connection.maxConnections ?? 10_000,
      maxConnectionsPerPeer: connection.maxConnectionsPerPeer ?? 1_000,
      peers: connections.peers,
      tls: options.tls,
      ends,
      onRefused: (reason) => hooks.onConnectionRefused?.(reason),
      onOpened: () => hooks.onConnectionOpened?.(),
      onClosed: (end) => hooks.onConnectionClosed?.(end),
      onSession: (session, socket) => this.#watch.add(session, socket),
    });
    this.#watch = new ConnectionWatch(
      {
        prefaceMs,
        maxAgeMs: connection.maxConnectionAgeMs ?? 30 * 60_000,
        idleMs: connection.agedConnectionIdleMs ?? 5 * 60_000,
        graceMs: connection.maxConnectionAgeGraceMs ?? maxTimerMs,
        pingMs: connection.keepaliveTimeoutMs ?? 20_000,
      },
      connections,
      {
        drain: (idle, error) => this.#calls.drainIdle(idle, error),
        interrupt: (of, error) => this.#calls.interruptConnection(of, error),
      },
      { ends, onBreach: (breach) => hooks.onProtocolBreach?.(breach) },
    );
    verifySeam(grpc);
    this.#stopHeapWatch = watchHeap(() => this.#calls.held.relieve());
    const heads = new RequestHeads(
      interceptors.flatMap(({ metadataKeys = [] }) => metadataKeys),
      interceptors.flatMap(({ presenceKeys = [] }) => presenceKeys),
    );
    this.direct = new DirectCalls(methods, this.#calls, heads);
    for (const http2 of http2ServersOf(grpc)) {
      http2.updateSettings({ maxHeaderListSize: maxHeaderListBytes });
      filterHeads(http2, (headers, raw) => {
        const head = heads.read(headers, raw);
        if (head === undefined) hooks.onCallRefused?.('not_a_call');
        return head;
      });
    }
  }

  /** Bytes held for callers at this moment: messages in part, requests under way, answers not taken. */
  get heldBytes(): number {
    return this.#calls.held.bytes;
  }

  /** Connections open at this moment. */
  get connections(): number {
    return this.#listener.connections;
  }

  /**
   * Listens.
   * @param room connections that the process has descriptors for
   * @throws the operating system's error when host and port cannot be had
   */
  async start(room = Number.POSITIVE_INFINITY): Promise<{ readonly port: number }> {
    const { port } = await this.#listener.listen(this.#options.host, this.#options.port, room);
    return { port };
  }

  /** Changes how many connections the process has descriptors for. */
  limitConnections(room: number): void {
    this.#listener.limit(room);
  }

  /** Tells balancers to send no more: health is NOT_SERVING for all names. Everything else goes on. */
  beginDrain(): void {
    this.#health.stop();
  }

  /**
   * Takes no more work and finishes what is there: unary calls and batches that have arrived are answered; streams
   * are read no further, answer what they hold, and end with UNAVAILABLE. Calls that come now meet a GOAWAY or a
   * closed port, which clients take as a call that never began: they send it elsewhere by themselves. Resolves when
   * all calls are done, or soon after the signal is aborted, which ends those that are left. Called once.
   */
  async drain(signal: AbortSignal): Promise<void> {
    this.beginDrain();
    const done = this.#calls.drain();
    const retired = this.#listener.retire();
    await untilAborted(done, signal);
    this.#calls.interrupt(shuttingDown());
    await untilAborted(retired, AbortSignal.timeout(flushMs));
  }

  /** Ends everything at once. */
  async close(): Promise<void> {
    this.beginDrain();
    this.#calls.close();
    this.#watch.close();
    this.#stopHeapWatch();
    this.#calls.interrupt(shuttingDown());
    await this.#listener.close();
  }

  /** The methods by their paths. */
  #methods(routes: readonly AnyRoute[], schema: RequestSchema, maxHeldBytes: number): Map<string, Method> {
    const { compression = true, maxCompressionRatio = 200 } = this.#options.inbound ?? {};
    const repeated = repeatedLimits(this.#options);
    return new Map(
      routes.map((route) => {
        const path = `/${route.service}/${route.method}`;
        const maxMessageBytes = Math.min(route.maxRequestBytes, maxHeldBytes * maxMessageShare);
        const limits = { maxMessageBytes, maxRatio: maxCompressionRatio, compression };
        return [path, new Method(route, limits, schema.fieldsOf(path, repeated))];
      }),
    );
  }

  #grpcServer(methods: ReadonlyMap<string, Method>): Server {
    // grpc-js logs to the console by itself, and what it logs may quote headers of callers.
    setLogVerbosity(logVerbosity.NONE);
    const unknown = new Method(
      unknownMethod,
      { maxMessageBytes: 0, maxRatio: 1, compression: false },
      undefined,
    );
    const grpc = new Server({
      ...channelOptions(this.#options),
      interceptors: [
        (definition, call) => new RpcCall(call, methods.get(definition.path) ?? unknown, this.#calls),
      ],
    });
    const { serialize, deserialize } = bareCodecs;
    for (const [path, { route }] of methods) {
      grpc.register(path, unreachable, serialize, deserialize, route.shape);
    }
    useForUnknownMethods(grpc, unreachable);
    return grpc;
  }
}

/** Registered for every method, since grpc-js wants a handler; RpcCall answers before it would be called. */
function unreachable(): never {
  throw new Error('calls are answered by RpcCall');
}
