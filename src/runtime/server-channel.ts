import { readSync, writeSync } from 'node:fs';
import type { RaggedBatch } from './batch-tensors.js';
import { grown, REPLY_HEADER_BYTES, REQUEST_HEADER_INTS, type ReplyKind } from './frames.js';

/**
 * The session process's end of the socket pair, read and written with blocking calls. A process that runs one batch
 * at a time has nothing else to do while it waits, and a blocking read costs half the round trip of the event loop.
 * It also ends by itself: when the server closes its end or dies, however it dies, the read returns nothing.
 */
export class ServerChannel {
  readonly #fd: number;
  #request = new ArrayBuffer(16 * 1024);
  #reply = new ArrayBuffer(16 * 1024);

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The next batch, as views that the next call overwrites; undefined once the server has closed its end. */
  readBatch(): RaggedBatch | undefined {
    const header = new Int32Array(REQUEST_HEADER_INTS);
    if (!this.#readFully(new Uint8Array(header.buffer))) return undefined;
    const [rows = 0, width = 0, idCount = 0, withPairs = 0] = header;
    const ints = rows * (withPairs === 1 ? 2 : 1) + idCount;
    this.#request = grown(this.#request, ints * 4);
    if (!this.#readFully(new Uint8Array(this.#request, 0, ints * 4))) return undefined;
    return {
      rows,
      width,
      lengths: new Int32Array(this.#request, 0, rows),
      pairStarts: withPairs === 1 ? new Int32Array(this.#request, rows * 4, rows) : undefined,
      ids: new Int32Array(this.#request, (ints - idCount) * 4, idCount),
    };
  }

  /** Sends one reply. A server that is gone shows in the next read. */
  reply(kind: ReplyKind, ms: number, payload: Uint8Array): void {
    const bytes = REPLY_HEADER_BYTES + payload.length;
    this.#reply = grown(this.#reply, bytes);
    const header = new DataView(this.#reply);
    header.setInt32(0, kind, true);
    header.setInt32(4, payload.length, true);
    header.setFloat64(8, ms, true);
    const out = new Uint8Array(this.#reply, 0, bytes);
    out.set(payload, REPLY_HEADER_BYTES);
    try {
      for (let sent = 0; sent < bytes; ) sent += writeSync(this.#fd, out, sent, bytes - sent);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  #readFully(into: Uint8Array): boolean {
    for (let got = 0; got < into.length; ) {
      const count = this.#read(into, got);
      if (count === 0) return false;
      got += count;
    }
    return true;
  }

  #read(into: Uint8Array, offset: number): number {
    for (;;) {
      try {
        return readSync(this.#fd, into, offset, into.length - offset, null);
      } catch (error) {
        if (isGone(error)) return 0;
        if (codeOf(error) !== 'EINTR') throw error;
      }
    }
  }
}

function isGone(error: unknown): boolean {
  return codeOf(error) === 'EPIPE' || codeOf(error) === 'ECONNRESET';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
