import { VerdictError } from '../errors.js';
import type { ShedReason } from './types.js';

/** What all connections of one peer make the server hold. */
export interface PeerShare {
  heldBytes: number;
}

/** What one connection makes the server hold. */
export interface ConnectionShare {
  heldBytes: number;
  /** Undefined: it carries the calls of many. */
  readonly peer?: PeerShare | undefined;
}

/** A call, as one that makes the server hold memory. */
export interface Holder {
  readonly connection: ConnectionShare;
  /** Messages that have arrived in part, wait for their turn, or have not been taken by the peer. */
  readonly held: { readonly bytes: number };
  /** When it last got or sent a message; performance.now() milliseconds. */
  readonly activeAt: number;
  /** Ends it and lets go of all it holds, before this returns. */
  shed(error: VerdictError): void;
}

export interface HeldBytesOptions {
  /** Bytes held for all callers together. */
  readonly maxBytes: number;
  /** Bytes held for the calls of one connection. */
  readonly maxConnectionBytes: number;
  /** Bytes held for the calls of all connections of one peer. */
  readonly maxPeerBytes: number;
  /** All calls. */
  readonly holders: () => Iterable<Holder>;
  readonly onShed?: (reason: ShedReason) => void;
}

/** Once a limit is exceeded, calls are ended until this share of it is held, so that the search for them pays off. */
const shedTo = 0.9;

/** When a caller that was shed may try again. */
const retryAfterMs = 1_000;

/**
 * The bytes that the server holds for its callers: open calls, messages that are partly received or waiting to be inflated,
 * requests waiting for answers, and answers that callers have not read. Beyond a limit, calls are ended until it is kept
 * again, first those that hold most and have been idle for longest: the product of the two decides, so that a small call at
 * work outlives a large one that stands still.
 */
export class HeldBytes {
  readonly #options: HeldBytesOptions;
  #bytes = 0;

  constructor(options: HeldBytesOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A call of the connection holds more by so many bytes. May end calls, this one among them. */
  add(connection: ConnectionShare, bytes: number): void {
    this.#bytes += bytes;
    connection.heldBytes += bytes;
    const { maxBytes, maxConnectionBytes, maxPeerBytes } = this.#options;
    const { peer } = connection;
    if (peer !== undefined) peer.heldBytes += bytes;
    if (connection.heldBytes > maxConnectionBytes) {
      const excess = connection.heldBytes - shedTo * maxConnectionBytes;
      this.#shed('connection', excess, (of) => of === connection);
    }
    if (peer !== undefined && peer.heldBytes > maxPeerBytes) {
      this.#shed('peer', peer.heldBytes - shedTo * maxPeerBytes, (of) => of.peer === peer);
    }
    if (this.#bytes > maxBytes) this.#shed('process', this.#bytes - shedTo * maxBytes);
  }

  /** It holds less. */
  remove(connection: ConnectionShare, bytes: number): void {
    this.#bytes -= bytes;
    connection.heldBytes -= bytes;
    if (connection.peer !== undefined) connection.peer.heldBytes -= bytes;
  }

  /** Ends calls until half of what is held is free: the heap is nearly full. */
  relieve(): void {
    this.#shed('heap', this.#bytes / 2);
  }

  #shed(
    reason: ShedReason,
    bytes: number,
    isMeant: (connection: ConnectionShare) => boolean = () => true,
  ): void {
    const now = performance.now();
    const candidates: { readonly holder: Holder; readonly weight: number }[] = [];
    for (const holder of this.#options.holders()) {
      if (holder.held.bytes === 0 || !isMeant(holder.connection)) continue;
      candidates.push({ holder, weight: holder.held.bytes * (1 + (now - holder.activeAt) / 1000) });
    }
    candidates.sort((a, b) => b.weight - a.weight);
    const target = this.#bytes - bytes;
    for (const { holder } of candidates) {
      if (this.#bytes <= target) return;
      if (holder.held.bytes === 0) continue;
      holder.shed(this.#error(reason));
      this.#options.onShed?.(reason);
    }
  }

  #error(reason: ShedReason): VerdictError {
    const { maxBytes, maxConnectionBytes, maxPeerBytes } = this.#options;
    const limits = {
      connection: `its connection made the server hold more than ${mebibytes(maxConnectionBytes)} of calls and messages`,
      peer: `its address made the server hold more than ${mebibytes(maxPeerBytes)} of calls and messages`,
      process: `the server held more than ${mebibytes(maxBytes)} of calls and messages`,
      heap: 'the memory of the server was nearly used up',
    };
    return new VerdictError(
      'resource_exhausted',
      `${limits[reason]}, and this call was among the largest and most idle`,
      { reason: 'MEMORY_PRESSURE', retryAfterMs },
    );
  }
}

function mebibytes(bytes: number): string {
  return `${Math.round((bytes / 2 ** 20) * 10) / 10} MiB`;
}

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
