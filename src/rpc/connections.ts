import type { Http2Session } from 'node:http2';
import type { ConnectionShare } from './held-bytes.js';
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
  /** Of callers behind trusted proxies, by name: the oldest names go when there are too many. */
  readonly #callers = new Map<string, object>();
  readonly #bySession = new WeakMap<Http2Session, Connection>();

  constructor(peers: Peers) {
    this.peers = peers;
  }

  /**
   * What all that one caller sends is told from the others' by: its connection, or, behind a trusted proxy, whom the proxy
   * speaks for.
   * @param forwarded the header of the call, where one came
   */
  callerOf(connection: Connection, forwarded: string | undefined): object {
    if (forwarded === undefined || !this.peers.isTrusted(connection.address)) return connection;
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
