import type { ConnectionShare, HeldBytes } from './held-bytes.js';

/** What one call makes the server hold: its part of `HeldBytes`, until it is closed. */
export class HeldByCall {
  readonly #held: HeldBytes;
  readonly #connection: ConnectionShare;
  #bytes = 0;
  #closed = false;

  constructor(held: HeldBytes, connection: ConnectionShare) {
    this.#held = held;
    this.#connection = connection;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** So many bytes more, or fewer. More may end calls, this one among them. */
  change(bytes: number): void {
    if (this.#closed || bytes === 0) return;
    this.#bytes += bytes;
    if (bytes > 0) this.#held.add(this.#connection, bytes);
    else this.#held.remove(this.#connection, -bytes);
  }

  /** No more than so many are left. */
  reduceTo(bytes: number): void {
    if (this.#bytes > bytes) this.change(bytes - this.#bytes);
  }

  /** Nothing is held, and nothing counts any more. */
  close(): void {
    this.reduceTo(0);
    this.#closed = true;
  }
}
