import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { identityOf, type TlsIdentity } from '../tls/client-certificate.js';
import type { ConnectionShare, PeerShare } from './held-bytes.js';
import type { Peers } from './peer.js';

/** A caller whose name went while it had something queued is another one from then on: it loses nothing by it. */
const maxForwardedCallers = 10_000;

/** One connection, as its calls share it. */
export class Connection implements ConnectionShare {
  /** The address of its other end. */
  readonly address: string;
  /** The same with the port. */
  readonly name: string;
  heldBytes = 0;
  readonly peer: PeerShare | undefined;
  /** Of the client's certificate; one object for all connections with the same names. */
  readonly identity: TlsIdentity | undefined;
  /** Calls and messages that have come over it, added up. */
  activity = 0;

  constructor(address = 'unknown', port?: number, peer?: PeerShare, identity?: TlsIdentity) {
    this.address = address;
    this.peer = peer;
    this.identity = identity;
    this.name = port === undefined ? address : `${address}:${port}`;
  }
}

/** The connections of a server, by their HTTP/2 sessions. */
export class Connections {
  readonly peers: Peers;
  /** Of callers behind trusted proxies, by name: the oldest names go when there are too many. */
  readonly #callers = new Map<string, object>();
  readonly #bySession = new WeakMap<Http2Session, Connection>();
  /** Those without HTTP/2. */
  readonly #bySocket = new WeakMap<Socket, Connection>();
  /** Of the peers that are connected, by name. */
  readonly #shares = new Map<string, PeerShare & { connections: number }>();
  /** Of the clients that are connected with certificates, by their names. */
  readonly #identities = new Map<string, TlsIdentity & { connections: number }>();

  constructor(peers: Peers) {
    this.peers = peers;
  }

  /**
   * What all that one caller sends is told from the others' by: the names in its certificate, else its connection, or, behind
   * a trusted proxy, whom the proxy speaks for.
   * @param forwarded the header of the call, where one came
   */
  callerOf(connection: Connection, forwarded: string | undefined): object {
    if (forwarded === undefined || !this.peers.isTrusted(connection.address)) {
      const { identity } = connection;
      // Certificates without names have nothing in common.
      return identity !== undefined && identity.sans.length > 0 ? identity : connection;
    }
    const name = this.peers.of(connection.address, forwarded);
    let caller = this.#callers.get(name);
    if (caller === undefined) {
      caller = { name };
      const [oldest] = this.#callers.keys();
      if (this.#callers.size >= maxForwardedCallers && oldest !== undefined) this.#callers.delete(oldest);
      this.#callers.set(name, caller);
    }
    return caller;
  }

  /** Its name: the same on all its connections, and on all servers. */
  nameOf({ address, identity }: Connection, forwarded: string | undefined): string {
    const [san] = identity?.sans ?? [];
    if (san !== undefined && (forwarded === undefined || !this.peers.isTrusted(address))) return san;
    return this.peers.of(address, forwarded);
  }

  /** @param socket the TCP connection that the session speaks over, below TLS too: what it counts for ends with it */
  open(session: Http2Session, socket: Socket): Connection {
    const secure = session.encrypted === true ? (session.socket as TLSSocket) : undefined;
    const connection = this.#connection(socket, secure);
    this.#bySession.set(session, connection);
    return connection;
  }

  /** The connection of a socket that speaks another protocol than HTTP/2, from its first call on. */
  ofSocket(socket: Socket): Connection {
    let connection = this.#bySocket.get(socket);
    if (connection === undefined) {
      connection = this.#connection(socket, socket instanceof TLSSocket ? socket : undefined);
      this.#bySocket.set(socket, connection);
    }
    return connection;
  }

  /** @param session undefined: it has ended */
  of(session: Http2Session | undefined): Connection {
    return (session && this.#bySession.get(session)) ?? new Connection();
  }

  #connection(socket: Socket, secure: TLSSocket | undefined): Connection {
    const { remoteAddress, remotePort } = socket;
    return new Connection(
      remoteAddress,
      remotePort,
      this.#shareOf(socket, remoteAddress),
      this.#identityOf(secure, socket),
    );
  }

  #identityOf(secure: TLSSocket | undefined, socket: Socket): TlsIdentity | undefined {
    const found = secure === undefined ? undefined : identityOf(secure);
    if (found === undefined) return undefined;
    const name = JSON.stringify(found.sans);
    const identity = this.#identities.get(name) ?? { ...found, connections: 0 };
    this.#identities.set(name, identity);
    identity.connections++;
    socket.once('close', () => {
      identity.connections--;
      if (identity.connections === 0 && this.#identities.get(name) === identity)
        this.#identities.delete(name);
    });
    return identity;
  }

  /** What a peer's connections share, as long as there are any. A trusted proxy's calls are those of many. */
  #shareOf(socket: Socket, address: string | undefined): PeerShare | undefined {
    if (address === undefined || this.peers.isTrusted(address)) return undefined;
    const name = this.peers.of(address);
    const share = this.#shares.get(name) ?? { heldBytes: 0, connections: 0 };
    this.#shares.set(name, share);
    share.connections++;
    socket.once('close', () => {
      share.connections--;
      if (share.connections === 0 && this.#shares.get(name) === share) this.#shares.delete(name);
    });
    return share;
  }
}
