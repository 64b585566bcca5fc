import { grown, REPLY_HEADER_BYTES, type Reply } from './frames.js';

/** Longer than any answer: the largest possible batch, with a thousand labels, has 256 MiB of logits. */
const MOST_PAYLOAD_BYTES = 2 ** 30;

/** Assembles replies from the chunks of a byte stream. */
export class ReplyReader {
  #buffer = new ArrayBuffer(64 * 1024);
  #length = 0;
  #broken = false;
  readonly #onReply: (reply: Reply) => void;
  readonly #onBroken: () => void;

  /** @param onBroken called once if the bytes cannot be replies; nothing more is read then */
  constructor(onReply: (reply: Reply) => void, onBroken: () => void) {
    this.#onReply = onReply;
    this.#onBroken = onBroken;
  }

  push(chunk: Uint8Array): void {
    if (this.#broken) return;
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
      const payloadBytes = header.getInt32(4, true);
      if (payloadBytes < 0 || payloadBytes > MOST_PAYLOAD_BYTES) {
        this.#broken = true;
        this.#onBroken();
        return;
      }
      const end = REPLY_HEADER_BYTES + payloadBytes;
      if (this.#length < end) return;
      const payload = new Uint8Array(this.#buffer, REPLY_HEADER_BYTES, end - REPLY_HEADER_BYTES);
      this.#onReply({ kind: header.getInt32(0, true), ms: header.getFloat64(8, true), payload });
      new Uint8Array(this.#buffer).copyWithin(0, end, this.#length);
      this.#length -= end;
    }
  }
}
