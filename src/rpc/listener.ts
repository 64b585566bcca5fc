import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { type Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';

/**
 * The listening socket and the connections of a gRPC server. grpc-js can listen by itself, but it then offers no
 * way to end open connections while channelz is off, and no limit to their number.
 */
export class Listener {
  readonly #server: NetServer;
  readonly #sockets = new Set<Socket>();
  readonly #injector: ReturnType<GrpcServer['createConnectionInjector']>;
  /** Settles when the last connection has ended; at once where none was ever accepted. */
  #closed: Promise<void> = Promise.resolve();

  constructor(grpc: GrpcServer, options: { readonly maxConnections: number }) {
    this.#injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#server = createServer({ noDelay: true }, (socket) => this.#onConnection(socket));
    this.#server.maxConnections = options.maxConnections;
  }

  /** @throws the operating system's error when it cannot listen there */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        this.#closed = new Promise((closed) => this.#server.once('close', closed));
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /**
   * Accepts no more connections and tells the peers of open ones to go elsewhere (GOAWAY). Calls that are open may
   * go on; their connection ends with the last one. Resolves when all connections have ended.
   */
  retire(): Promise<void> {
    if (this.#server.listening) {
      this.#server.close();
      this.#injector.destroy();
    }
    return this.#closed;
  }

  /** Ends all connections at once. */
  close(): Promise<void> {
    const closed = this.retire();
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }

  #onConnection(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // A connection that breaks ends its calls; the error itself tells nothing more, but unheard it would be thrown.
    socket.on('error', () => {});
    this.#injector.injectConnection(socket);
  }
}
