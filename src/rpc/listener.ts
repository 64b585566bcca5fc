import type { ServerHttp2Session } from 'node:http2';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { type Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import type { ConnectionEnds } from './connection-ends.js';
import { http2ServersOf } from './grpc-seam.js';
import { Handshakes, type RpcTls } from './handshakes.js';
import { PeerCounts, type Peers } from './peer.js';
import type { ConnectionEnd, RefusalReason } from './types.js';

export interface ListenerOptions {
  /** Connections open at once. */
  readonly maxConnections: number;
  /** Of these, of one peer, and never more than half; trusted proxies, which speak for many, are not held to it. */
  readonly maxConnectionsPerPeer: number;
  readonly peers: Peers;
  /** Without it connections are plain. */
  readonly tls?: RpcTls | undefined;
  /** What others know of the ends of connections. */
  readonly ends: ConnectionEnds;
  readonly onRefused?: (reason: RefusalReason) => void;
  readonly onOpened?: () => void;
  /** Called once for each connection that was opened. */
  readonly onClosed?: (end: ConnectionEnd) => void;
  /** @param socket the TCP connection that the session speaks over, below TLS too */
  readonly onSession?: (session: ServerHttp2Session, socket: Socket) => void;
}

/**
 * The listening socket and the connections of a gRPC server. grpc-js can listen by itself, but it then offers no
 * way to end open connections while channelz is off, and no limit to their number. TLS ends here too (ADR 0016): a
 * connection counts from the moment it is accepted, and the HTTP/2 server gets it decrypted.
 */
export class Listener {
  readonly #server: NetServer;
  readonly #options: ListenerOptions;
  readonly #sockets = new Set<Socket>();
  readonly #ofPeers = new PeerCounts();
  #maxPerPeer = 0;
  readonly #handshakes: Handshakes | undefined;
  readonly #injector: ReturnType<GrpcServer['createConnectionInjector']>;
  /** The connection that HTTP/2 is being given: its session begins within that call. */
  #given: Socket | undefined;
  /** Settles when the last connection has ended; at once where none was ever accepted. */
  #closed: Promise<void> = Promise.resolve();

  constructor(grpc: GrpcServer, options: ListenerOptions) {
    this.#options = options;
    this.#injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
    for (const http2 of http2ServersOf(grpc)) {
      http2.on('session', (session) => {
        if (this.#given !== undefined) options.onSession?.(session, this.#given);
      });
    }
    if (options.tls !== undefined) {
      this.#handshakes = new Handshakes(options.tls, (decrypted, socket) => {
        // Who comes through after the port has closed goes elsewhere, as one that comes later does.
        if (this.#server.listening) this.#give(decrypted, socket);
        else this.#end(socket);
      });
    }
    this.#server = createServer({ noDelay: true }, (socket) => this.#onConnection(socket));
    this.#server.on('drop', () => options.onRefused?.('all'));
    // A connection that cannot be accepted, for want of descriptors in the whole system, say. `listen` hears of its own failure.
    this.#server.on('error', () => {
      if (this.#server.listening) options.onRefused?.('all');
    });
  }

  /** Connections open at this moment. */
  get connections(): number {
    return this.#sockets.size;
  }

  /**
   * @param room connections that the process has descriptors for
   * @throws the operating system's error when it cannot listen there
   */
  listen(host: string, port: number, room: number): Promise<AddressInfo> {
    this.limit(room);
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        this.#closed = new Promise((closed) => this.#server.once('close', closed));
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Changes how many connections may be open. Those that are open stay. @param room connections that there are descriptors for */
  limit(room: number): void {
    const { maxConnections, maxConnectionsPerPeer } = this.#options;
    this.#server.maxConnections = Math.min(maxConnections, room);
    this.#maxPerPeer = Math.min(maxConnectionsPerPeer, Math.ceil(this.#server.maxConnections / 2));
  }

  /**
   * Accepts no more connections and tells the peers of open ones to go elsewhere (GOAWAY). Calls that are open may
   * go on; their connection ends with the last one. Resolves when all connections have ended.
   */
  retire(): Promise<void> {
    if (this.#server.listening) {
      this.#server.close();
      for (const socket of this.#sockets) this.#options.ends.tell(socket, 'drain');
      this.#injector.destroy();
    }
    return this.#closed;
  }

  /** Ends all connections at once. */
  close(): Promise<void> {
    const closed = this.retire();
    for (const socket of this.#sockets) this.#end(socket);
    return closed;
  }

  #onConnection(socket: Socket): void {
    // A connection that breaks ends its calls; the error itself tells nothing more, but unheard it would be thrown.
    socket.on('error', () => {});
    const { peers, ends, onRefused, onOpened, onClosed } = this.#options;
    const address = socket.remoteAddress ?? '';
    const peer = peers.of(address);
    if (this.#ofPeers.of(peer) >= this.#maxPerPeer && !peers.isTrusted(address)) {
      socket.destroy();
      onRefused?.('peer');
      return;
    }
    this.#sockets.add(socket);
    this.#ofPeers.add(peer);
    onOpened?.();
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#ofPeers.remove(peer);
      onClosed?.(ends.of(socket));
    });
    if (this.#handshakes === undefined) this.#give(socket, socket);
    else {
      ends.ask(socket, () => 'tls');
      this.#handshakes.accept(socket);
    }
  }

  #end(socket: Socket): void {
    this.#options.ends.tell(socket, 'drain');
    socket.destroy();
  }

  #give(readable: Socket, socket: Socket): void {
    this.#given = socket;
    this.#injector.injectConnection(readable);
    this.#given = undefined;
  }
}
