import type { Encoding } from '../tokenizer/types.js';
import { grown, REQUEST_HEADER_INTS } from './frames.js';

/**
 * Writes batches into one buffer, used again for every batch: that is safe because a reply shows that the session
 * process has read the whole request.
 */
export class RequestWriter {
  #buffer = new ArrayBuffer(16 * 1024);
  readonly #withPairs: boolean;

  /** @param withPairs whether the model reads `token_type_ids` */
  constructor(withPairs: boolean) {
    this.#withPairs = withPairs;
  }

  /** The bytes of one batch; a view that the next call overwrites. */
  write(encodings: readonly Encoding[]): Uint8Array {
    const rows = encodings.length;
    let ids = 0;
    let width = 1;
    for (const encoding of encodings) {
      ids += encoding.ids.length;
      width = Math.max(width, encoding.ids.length);
    }
    const ints = REQUEST_HEADER_INTS + rows * (this.#withPairs ? 2 : 1) + ids;
    this.#buffer = grown(this.#buffer, ints * 4);
    const out = new Int32Array(this.#buffer, 0, ints);
    out[0] = rows;
    out[1] = width;
    out[2] = ids;
    out[3] = this.#withPairs ? 1 : 0;
    let at = REQUEST_HEADER_INTS;
    for (const encoding of encodings) out[at++] = encoding.ids.length;
    if (this.#withPairs) for (const encoding of encodings) out[at++] = encoding.pairStart;
    for (const encoding of encodings) {
      out.set(encoding.ids, at);
      at += encoding.ids.length;
    }
    return new Uint8Array(this.#buffer, 0, ints * 4);
  }
}
