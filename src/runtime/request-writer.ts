import { type Encoded, type FixedFeed, type RaggedFeed, sizeOf, type TensorRow } from './feeds.js';
import { grown, REQUEST_HEADER_INTS } from './frames.js';

/** What a row has of a ragged feed that it does not speak of: nothing, so all of it is padding. */
const EMPTY = new Int32Array(0);

/**
 * Writes batches into one buffer, which is reused for every batch. This is safe because a reply shows that the session
 * process has read the whole request.
 */
export class RequestWriter {
  #buffer = new ArrayBuffer(16 * 1024);
  readonly #feeds: readonly (RaggedFeed | FixedFeed)[];

  /** @param feeds those that the session is sent */
  constructor(feeds: readonly (RaggedFeed | FixedFeed)[]) {
    this.#feeds = feeds;
  }

  /**
   * The bytes of one batch; a view that the next call overwrites.
   * @throws RangeError for a row of a fixed feed that has another size
   */
  write(rows: readonly Encoded[]): Uint8Array {
    let numbers = 0;
    let width = 1;
    for (const feed of this.#feeds) {
      if (feed.kind === 'ragged') numbers += rows.length;
      for (const row of rows) {
        const { length } = cellsOf(row, feed);
        numbers += length;
        if (feed.kind === 'ragged' && length > width) width = length;
      }
    }
    const ints = REQUEST_HEADER_INTS + numbers;
    this.#buffer = grown(this.#buffer, ints * 4);
    const out = new Int32Array(this.#buffer, 0, ints);
    out[0] = rows.length;
    out[1] = width;
    out[2] = numbers;
    let at = REQUEST_HEADER_INTS;
    for (const feed of this.#feeds) {
      if (feed.kind === 'ragged') for (const row of rows) out[at++] = cellsOf(row, feed).length;
      for (const row of rows) {
        const cells = cellsOf(row, feed);
        // The bits of floating-point numbers, not their values.
        out.set(cells instanceof Int32Array ? cells : bitsOf(cells), at);
        at += cells.length;
      }
    }
    return new Uint8Array(this.#buffer, 0, ints * 4);
  }
}

function cellsOf({ tensors }: Encoded, feed: RaggedFeed | FixedFeed): TensorRow {
  const cells = tensors[feed.name] ?? EMPTY;
  if (feed.kind === 'fixed' && cells.length !== sizeOf(feed)) {
    throw new RangeError(`a row has ${cells.length} numbers for ${feed.name}; expected ${sizeOf(feed)}`);
  }
  return cells;
}

function bitsOf(cells: Float32Array): Int32Array {
  return new Int32Array(cells.buffer, cells.byteOffset, cells.length);
}
