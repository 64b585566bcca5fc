import type { Http2Session } from 'node:http2';
import type { ConnectionShare } from './held-bytes.js';
import type { Peers } from './peer.js';

/** One connection, as its calls share it. */
export class Connection implements ConnectionShare {
  /** The address of its other end. */
  readonly address: string;
  /** The same with the port. */
  readonly name: string;
  heldBytes = 0;
  /** Calls and messages that have come over it, added up. */
  activity = 0;

  constructor(address = 'unknown', port?: number) {
    this.address = address;
    this.name = port === undefined ? address : `${address}:${port}`;
  }
}

/** The connections of a server, by their HTTP/2 sessions. */
export class Connections {
  readonly peers: Peers;
  readonly #bySession = new WeakMap<Http2Session, Connection>();

  constructor(peers: Peers) {
    this.peers = peers;
  }

  of(session: Http2Session | undefined): Connection {
    if (session === undefined) return new Connection();
    let connection = this.#bySession.get(session);
    if (connection === undefined) {
      const { remoteAddress, remotePort } = session.socket;
      connection = new Connection(remoteAddress, remotePort);
      this.#bySession.set(session, connection);
    }
    return connection;
  }
}
