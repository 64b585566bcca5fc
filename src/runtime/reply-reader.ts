import { grown, REPLY_HEADER_BYTES, type Reply } from './frames.js';

/** Puts the chunks of a byte stream together into replies. */
export class ReplyReader {
  #buffer = new ArrayBuffer(64 * 1024);
  #length = 0;
  readonly #onReply: (reply: Reply) => void;

  constructor(onReply: (reply: Reply) => void) {
    this.#onReply = onReply;
  }

  push(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.byteLength) {
      const larger = grown(this.#buffer, needed);
      new Uint8Array(larger).set(new Uint8Array(this.#buffer, 0, this.#length));
      this.#buffer = larger;
    }
    new Uint8Array(this.#buffer).set(chunk, this.#length);
    this.#length = needed;
    this.#deliver();
  }

  #deliver(): void {
    while (this.#length >= REPLY_HEADER_BYTES) {
      const header = new DataView(this.#buffer);
      const end = REPLY_HEADER_BYTES + header.getInt32(4, true);
      if (this.#length < end) return;
      const payload = new Uint8Array(this.#buffer, REPLY_HEADER_BYTES, end - REPLY_HEADER_BYTES);
      this.#onReply({ kind: header.getInt32(0, true), ms: header.getFloat64(8, true), payload });
      new Uint8Array(this.#buffer).copyWithin(0, end, this.#length);
      this.#length -= end;
    }
  }
}
