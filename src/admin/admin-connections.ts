import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** What one connection is about: a request that is being answered, or one that has yet to come in full. */
interface State {
  readonly peer: string;
  answering: number;
}

/**
 * The connections of the admin server: so many, and a new one always has a place. When there are too many, one makes room
 * that is owed no answer, the oldest of the address that has most: half-sent requests and idle connections cannot keep a
 * probe out, which is answered as soon as it has come.
 */
export class AdminConnections {
  readonly #max: number;
  /** In the order in which they were opened, or last answered. */
  readonly #states = new Map<Socket, State>();

  constructor(server: Server, max: number) {
    this.#max = max;
    server.on('connection', (socket: Socket) => this.#add(socket));
    server.on('request', ({ socket }, response) => {
      const state = this.#states.get(socket);
      if (state === undefined) return;
      state.answering++;
      response.once('close', () => {
        state.answering--;
        // As good as new.
        if (this.#states.delete(socket)) this.#states.set(socket, state);
      });
    });
  }

  #add(socket: Socket): void {
    this.#states.set(socket, { peer: socket.remoteAddress ?? '', answering: 0 });
    socket.once('close', () => this.#states.delete(socket));
    if (this.#states.size <= this.#max) return;
    const leaves = this.#leastDeserving(socket);
    this.#states.delete(leaves);
    leaves.destroy();
  }

  /** Where all but the newest are being answered, the oldest of these. */
  #leastDeserving(newest: Socket): Socket {
    const counts = new Map<string, number>();
    for (const { peer } of this.#states.values()) counts.set(peer, (counts.get(peer) ?? 0) + 1);
    let found = newest;
    let most = 0;
    for (const isAnswering of [false, true]) {
      for (const [socket, { peer, answering }] of this.#states) {
        const count = counts.get(peer) ?? 0;
        if (socket === newest || answering > 0 !== isAnswering || count <= most) continue;
        found = socket;
        most = count;
      }
      if (found !== newest) break;
    }
    return found;
  }
}
