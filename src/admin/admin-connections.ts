import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/** Requests of one connection that may wait for their answers. Browsers and probes send one at a time. */
const maxUnanswered = 16;

/** The state of one connection: a request being answered, or one that has not arrived in full. */
interface State {
  readonly peer: string;
  /** As it was accepted: below TLS, where there is TLS. */
  readonly socket: Socket;
  answering: number;
  /** Its handshake is over, where there is one. */
  isOpen: boolean;
}

/**
 * The connections of the admin server. Their number is limited, but a new one always gets a place: if there are too
 * many, the server closes the oldest one that is owed no answer, of the address with the most connections. So half-sent
 * requests, handshakes that never end and idle connections cannot keep out a probe, which is answered as soon as it arrives.
 */
export class AdminConnections {
  readonly #max: number;
  /** In the order in which they were opened, or last answered. */
  readonly #states = new Map<string, State>();

  constructor(server: Server, max: number) {
    this.#max = max;
    const isTls = server instanceof TlsServer;
    server.on('connection', (socket: Socket) => this.#add(socket, !isTls));
    if (isTls)
      server.on('secureConnection', (socket: Socket) => {
        const state = this.#states.get(nameOf(socket));
        if (state !== undefined) state.isOpen = true;
      });
    server.on('request', ({ socket }, response) => {
      const name = nameOf(socket);
      const state = this.#states.get(name);
      if (state === undefined) return;
      state.answering++;
      if (state.answering > maxUnanswered) socket.destroy();
      response.once('close', () => {
        state.answering--;
        // Counts as new.
        if (this.#states.get(name) === state) {
          this.#states.delete(name);
          this.#states.set(name, state);
        }
      });
    });
  }

  /** Ends handshakes under way: HTTP does not know these connections yet, and a server that closes would wait for them. */
  endHandshakes(): void {
    for (const { socket, isOpen } of this.#states.values()) if (!isOpen) socket.destroy();
  }

  #add(socket: Socket, isOpen: boolean): void {
    const name = nameOf(socket);
    const state = { peer: socket.remoteAddress ?? '', socket, answering: 0, isOpen };
    this.#states.set(name, state);
    socket.once('close', () => {
      if (this.#states.get(name) === state) this.#states.delete(name);
    });
    if (this.#states.size <= this.#max) return;
    const leaves = this.#leastDeserving(state);
    this.#states.delete(nameOf(leaves.socket));
    leaves.socket.destroy();
  }

  /** If all but the newest are being answered: the oldest of these. */
  #leastDeserving(newest: State): State {
    const counts = new Map<string, number>();
    for (const { peer } of this.#states.values()) counts.set(peer, (counts.get(peer) ?? 0) + 1);
    let found = newest;
    let most = 0;
    for (const isAnswering of [false, true]) {
      for (const state of this.#states.values()) {
        const count = counts.get(state.peer) ?? 0;
        if (state === newest || state.answering > 0 !== isAnswering || count <= most) continue;
        found = state;
        most = count;
      }
      if (found !== newest) break;
    }
    return found;
  }
}

/** The two ends of a connection: they are the same above TLS and below. */
function nameOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
