import { readSync, writeSync } from 'node:fs';
import type { SentBatch, SentCells } from './batch-tensors.js';
import { type FixedFeed, type RaggedFeed, sizeOf } from './feeds.js';
import { grown, REPLY_HEADER_BYTES, REQUEST_HEADER_INTS, type ReplyKind } from './frames.js';

/**
 * The session process's end of the socket pair, read and written with blocking calls. A process that runs one batch at
 * a time has nothing else to do while it waits, and a blocking read costs half the round trip of the event loop. It
 * also ends by itself: when the server closes its end, or dies for any reason, the read returns nothing.
 */
export class ServerChannel {
  readonly #fd: number;
  #request = new ArrayBuffer(16 * 1024);
  #reply = new ArrayBuffer(16 * 1024);

  constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * The next batch, as views that the next call overwrites; undefined once the server has closed its end.
   * @param feeds those that the session is sent
   */
  readBatch(feeds: readonly (RaggedFeed | FixedFeed)[]): SentBatch | undefined {
    const header = new Int32Array(REQUEST_HEADER_INTS);
    if (!this.#readFully(new Uint8Array(header.buffer))) return undefined;
    const [rows = 0, width = 0, numbers = 0] = header;
    this.#request = grown(this.#request, numbers * 4);
    if (!this.#readFully(new Uint8Array(this.#request, 0, numbers * 4))) return undefined;
    let at = 0;
    const next = (count: number): Int32Array => {
      const cells = new Int32Array(this.#request, at * 4, count);
      at += count;
      return cells;
    };
    const sent = feeds.map((feed): [string, SentCells] => {
      if (feed.kind === 'fixed') return [feed.name, { lengths: undefined, cells: next(rows * sizeOf(feed)) }];
      const lengths = next(rows);
      return [feed.name, { lengths, cells: next(lengths.reduce((sum, length) => sum + length, 0)) }];
    });
    return { rows, width, feeds: new Map(sent) };
  }

  /** Sends one reply. If the server is gone, the next read shows it. */
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
