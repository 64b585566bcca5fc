import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface HttpConnectionOptions {
  /** Connections open at once. */
  readonly maxConnections: number;
  /** Of these, of one peer, and never more than half; trusted proxies, which speak for many, are not held to it. */
  readonly maxConnectionsPerPeer: number;
  /** The name that a connection's limits are kept under. */
  readonly peerOf: (socket: Socket) => { readonly name: string; readonly isTrusted: boolean };
  readonly onRefused?: (reason: 'peer' | 'all') => void;
}

/** Requests of one connection that may wait for their answers. Clients that do not pipeline have one: nearly all. */
const maxUnanswered = 64;

/** The connections of the HTTP port, from the moment they are accepted: below TLS, where there is TLS. */
export class HttpConnections {
  readonly #server: Server;
  readonly #options: HttpConnectionOptions;
  readonly #sockets = new Set<Socket>();
  readonly #ofPeers = new Map<string, number>();
  /** Answers that are owed, in the order of their requests. */
  readonly #owed = new WeakMap<Socket, Set<ServerResponse>>();
  #maxPerPeer = 0;

  constructor(server: Server, options: HttpConnectionOptions) {
    this.#server = server;
    this.#options = options;
    server.on('connection', (socket: Socket) => this.#add(socket));
    server.on('drop', () => options.onRefused?.('all'));
    // Node tells of a request by one of these.
    for (const event of ['request', 'checkContinue', 'checkExpectation'])
      server.on(event, ({ socket }: IncomingMessage, response: ServerResponse) =>
        this.#await(socket, response),
      );
  }

  /** Connections open at this moment. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Changes how many may be open. Those that are open stay. @param room connections that there are descriptors for */
  limit(room: number): void {
    const { maxConnections, maxConnectionsPerPeer } = this.#options;
    this.#server.maxConnections = Math.min(maxConnections, room);
    this.#maxPerPeer = Math.min(maxConnectionsPerPeer, Math.ceil(this.#server.maxConnections / 2));
  }

  /** Ends all of them at once. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Whether an answer of the server's own may be written: none has begun, and at most one is owed. */
  isFree(socket: Socket): boolean {
    const [first, ...others] = this.#owed.get(socket) ?? [];
    return first?.headersSent !== true && others.length === 0;
  }

  #await(socket: Socket, response: ServerResponse): void {
    const owed = this.#owed.get(socket) ?? this.#watch(socket);
    owed.add(response);
    if (owed.size > maxUnanswered) socket.destroy();
    response.once('close', () => owed.delete(response));
  }

  /** Node closes the answer whose turn it is with its connection. Those behind it would never hear of the end. */
  #watch(socket: Socket): Set<ServerResponse> {
    const owed = new Set<ServerResponse>();
    this.#owed.set(socket, owed);
    socket.once('close', () => {
      for (const response of owed) response.emit('close');
    });
    return owed;
  }

  #add(socket: Socket): void {
    const { name, isTrusted } = this.#options.peerOf(socket);
    const ofPeer = this.#ofPeers.get(name) ?? 0;
    if (ofPeer >= this.#maxPerPeer && !isTrusted) {
      socket.destroy();
      this.#options.onRefused?.('peer');
      return;
    }
    this.#sockets.add(socket);
    this.#ofPeers.set(name, ofPeer + 1);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#ofPeers.get(name) ?? 1) - 1;
      if (left > 0) this.#ofPeers.set(name, left);
      else this.#ofPeers.delete(name);
    });
  }
}
