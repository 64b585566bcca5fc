import { VerdictError } from '../errors.js';
import type { ShedReason } from './types.js';

/** What one connection makes the server hold. */
export interface ConnectionShare {
  heldBytes: number;
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
  /** All calls. */
  readonly holders: () => Iterable<Holder>;
  readonly onShed?: (reason: ShedReason) => void;
}

/** How far what is held is brought down once it is too much: what is looked at each time is then worth it. */
const shedTo = 0.9;

/** When a caller that was shed may try again. */
const retryAfterMs = 1_000;

/**
 * The bytes that the server holds for its callers, in both directions: messages that have arrived in part, requests that
 * wait for their turn, and answers that their callers have not taken. Beyond a limit, calls are ended until it is kept
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
    const { maxBytes, maxConnectionBytes } = this.#options;
    if (connection.heldBytes > maxConnectionBytes) {
      this.#shed('connection', connection.heldBytes - shedTo * maxConnectionBytes, connection);
    }
    if (this.#bytes > maxBytes) this.#shed('process', this.#bytes - shedTo * maxBytes);
  }

  /** It holds less. */
  remove(connection: ConnectionShare, bytes: number): void {
    this.#bytes -= bytes;
    connection.heldBytes -= bytes;
  }

  /** Ends calls until half of what is held is free: the heap is nearly full. */
  relieve(): void {
    this.#shed('heap', this.#bytes / 2);
  }

  #shed(reason: ShedReason, bytes: number, connection?: ConnectionShare): void {
    const now = performance.now();
    const candidates: { readonly holder: Holder; readonly weight: number }[] = [];
    for (const holder of this.#options.holders()) {
      if (holder.held.bytes === 0 || (connection !== undefined && holder.connection !== connection)) continue;
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
    const { maxBytes, maxConnectionBytes } = this.#options;
    const limits = {
      connection: `its connection made the server hold more than ${mebibytes(maxConnectionBytes)} of messages`,
      process: `the server held more than ${mebibytes(maxBytes)} of messages`,
      heap: 'the memory of the server was nearly used up',
    };
    return new VerdictError(
      'resource_exhausted',
      `${limits[reason]}, and this call was among the largest and idlest`,
      { reason: 'MEMORY_PRESSURE', retryAfterMs },
    );
  }
}

function mebibytes(bytes: number): string {
  return `${Math.round((bytes / 2 ** 20) * 10) / 10} MiB`;
}
