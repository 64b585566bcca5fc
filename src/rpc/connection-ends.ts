import type { Socket } from 'node:net';
import type { ConnectionEnd } from './types.js';

/** Why connections end. They are known by their TCP connections, below TLS too. */
export class ConnectionEnds {
  readonly #told = new WeakMap<Socket, ConnectionEnd>();
  readonly #asked = new WeakMap<Socket, () => ConnectionEnd>();

  /** The connection ends for this reason, now or when its calls are done. Only the first reason counts. */
  tell(socket: Socket, end: ConnectionEnd): void {
    if (!this.#told.has(socket)) this.#told.set(socket, end);
  }

  /** Asked when the connection has ended and nobody has told why. Only the last one counts. */
  ask(socket: Socket, why: () => ConnectionEnd): void {
    this.#asked.set(socket, why);
  }

  /** Of a connection that has ended. */
  of(socket: Socket): ConnectionEnd {
    return this.#told.get(socket) ?? this.#asked.get(socket)?.() ?? 'client';
  }
}
