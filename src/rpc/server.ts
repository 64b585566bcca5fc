import { logVerbosity, Server, setLogVerbosity } from '@grpc/grpc-js';
import type { Classifier } from '../classify/types.js';
import { untilAborted } from '../concurrency/until-aborted.js';
import { shuttingDown } from '../errors.js';
import type { ModelCatalog } from '../models/types.js';
import { RpcCall } from './call.js';
import { classifierRoutes } from './classifier-service.js';
import { deserializer, serializer } from './codec.js';
import { DescriptorIndex } from './descriptor-index.js';
import { Health } from './health.js';
import { Listener } from './listener.js';
import { modelRoutes } from './model-service.js';
import { OpenCalls } from './open-calls.js';
import { reflectionRoutes, reflectionServices } from './reflection.js';
import type { AnyRoute } from './route.js';
import { channelOptions, type RpcServerOptions } from './server-options.js';
import type { RpcHooks } from './types.js';
import { unknownMethod, useForUnknownMethods } from './unknown-method.js';

export interface RpcServerParts {
  readonly classifier: Classifier;
  readonly catalog: ModelCatalog;
  /** The contract as a google.protobuf.FileDescriptorSet, for reflection. */
  readonly descriptorSet: Uint8Array;
  readonly options: RpcServerOptions;
  readonly hooks: RpcHooks;
}

/** How long the last statuses may take to leave once every call has ended. */
const flushMs = 1_000;

/** The gRPC server: ClassifierService, ModelService, health and reflection on one port. */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #calls: OpenCalls;
  readonly #health: Health;
  readonly #listener: Listener;

  /** @throws Error when the descriptor set does not decode */
  constructor({ classifier, catalog, descriptorSet, options, hooks }: RpcServerParts) {
    this.#options = options;
    this.#calls = new OpenCalls({ hooks, defaultDeadlineMs: options.defaultDeadlineMs });
    this.#health = new Health({ catalog, maxWatchers: options.maxWatchers ?? 1_000 });
    const routes = [
      ...classifierRoutes({
        classifier,
        limits: options,
        streamWindow: options.streamWindow,
        defaultDeadlineMs: options.defaultDeadlineMs,
        onStreamsInFlight: (count) => hooks.onStreamsInFlight?.(count),
      }),
      ...modelRoutes(catalog, options),
      ...this.#health.routes(),
    ];
    const services = [...new Set(routes.map(({ service }) => service)), ...reflectionServices];
    routes.push(...reflectionRoutes(new DescriptorIndex(descriptorSet), services.sort()));
    const grpc = this.#grpcServer(routes);
    this.#listener = new Listener(grpc, { maxConnections: options.connection?.maxConnections ?? 10_000 });
  }

  /** Listens. @throws the operating system's error when host and port cannot be had */
  async start(): Promise<{ readonly port: number }> {
    const { port } = await this.#listener.listen(this.#options.host, this.#options.port);
    return { port };
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
    this.#calls.interrupt(shuttingDown());
    await this.#listener.close();
  }

  #grpcServer(routes: readonly AnyRoute[]): Server {
    // grpc-js logs to the console by itself, and what it logs may quote headers of callers.
    setLogVerbosity(logVerbosity.NONE);
    const byPath = new Map(routes.map((route) => [`/${route.service}/${route.method}`, route]));
    const grpc = new Server({
      ...channelOptions(this.#options),
      interceptors: [
        (definition, call) => new RpcCall(call, byPath.get(definition.path) ?? unknownMethod, this.#calls),
      ],
    });
    for (const [path, { shape, requestType, responseType }] of byPath) {
      grpc.register(path, unreachable, serializer(responseType), deserializer(requestType), shape);
    }
    useForUnknownMethods(grpc, unreachable);
    return grpc;
  }
}

/** Registered for every method, since grpc-js wants a handler; RpcCall answers before it would be called. */
function unreachable(): never {
  throw new Error('calls are answered by RpcCall');
}
