import type { Feed, FixedFeed, PositionsFeed, RaggedFeed } from './feeds.js';
import { grown } from './frames.js';
import type { ContractInput } from './model-contract.js';

/** The data of one tensor. */
export type TensorData = Int32Array | BigInt64Array | Float32Array;

/** What came of one feed: its rows' numbers one after another, as bits where they are floating-point numbers. */
export interface SentCells {
  /** Of a ragged feed: how many numbers each row has. */
  readonly lengths: Int32Array | undefined;
  readonly cells: Int32Array;
}

/** A batch as the server sent it. The arrays are views that the next batch overwrites. */
export interface SentBatch {
  readonly rows: number;
  /** Numbers of the longest row of any ragged feed, at least 1. */
  readonly width: number;
  readonly feeds: ReadonlyMap<string, SentCells>;
}

/**
 * Pads batches into one buffer per input, which is reused for every batch and grows as needed.
 *
 * It fills an int64 tensor through an Int32Array over the same memory, every second number, which is about three times
 * as fast as creating BigInts. The upper halves are never written and stay zero: ids are not negative, and every
 * platform that onnxruntime-node is built for is little-endian.
 */
export class BatchTensors {
  readonly #buffers = new Map<string, ArrayBuffer>();
  readonly #inputs: readonly ContractInput[];

  constructor(inputs: readonly ContractInput[]) {
    this.#inputs = inputs;
  }

  /** Fills all inputs, and hands each to `use` with its dimensions. The data is a view that the next call overwrites. */
  fill(batch: SentBatch, use: (name: string, data: TensorData, dims: readonly number[]) => void): void {
    for (const { feed, type } of this.#inputs) {
      if (feed.kind === 'fixed') use(feed.name, floatsOf(feed, batch), [batch.rows, ...feed.shape]);
      else use(feed.name, this.#padded(feed, type === 'int64', batch), [batch.rows, batch.width]);
    }
  }

  #padded(feed: Exclude<Feed, FixedFeed>, isWide: boolean, batch: SentBatch): Int32Array | BigInt64Array {
    const stride = isWide ? 2 : 1;
    const count = batch.rows * batch.width;
    const buffer = grown(this.#buffers.get(feed.name) ?? new ArrayBuffer(4096), count * stride * 4);
    this.#buffers.set(feed.name, buffer);
    const cells = new Int32Array(buffer, 0, count * stride);
    if (feed.kind === 'ragged') fillRows(cells, stride, batch, feed);
    else if (feed.kind === 'positions') fillPositions(cells, stride, batch, feed);
    else if (feed.kind === 'lead') fillLead(cells, stride, batch);
    else fillMask(cells, stride, batch, lengthsOf(batch, feed.of));
    return isWide ? new BigInt64Array(buffer, 0, count) : cells;
  }
}

function fillRows(into: Int32Array, stride: number, batch: SentBatch, { name, pad }: RaggedFeed): void {
  const lengths = lengthsOf(batch, name);
  const cells = batch.feeds.get(name)?.cells;
  let at = 0;
  let next = 0;
  for (let row = 0; row < batch.rows; row++) {
    const length = lengths[row] ?? 0;
    for (let column = 0; column < batch.width; column++, at += stride) {
      into[at] = column < length ? (cells?.[next++] ?? pad) : pad;
    }
  }
}

function fillMask(into: Int32Array, stride: number, batch: SentBatch, lengths: Int32Array): void {
  let at = 0;
  for (let row = 0; row < batch.rows; row++) {
    const length = lengths[row] ?? 0;
    for (let column = 0; column < batch.width; column++, at += stride) into[at] = column < length ? 1 : 0;
  }
}

function fillPositions(into: Int32Array, stride: number, batch: SentBatch, { first }: PositionsFeed): void {
  let at = 0;
  for (let row = 0; row < batch.rows; row++) {
    for (let column = 0; column < batch.width; column++, at += stride) into[at] = first + column;
  }
}

function fillLead(into: Int32Array, stride: number, batch: SentBatch): void {
  let at = 0;
  for (let row = 0; row < batch.rows; row++) {
    for (let column = 0; column < batch.width; column++, at += stride) into[at] = column === 0 ? 1 : 0;
  }
}

function lengthsOf(batch: SentBatch, name: string): Int32Array {
  return batch.feeds.get(name)?.lengths ?? new Int32Array(batch.rows);
}

/** Nothing to pad: the rows lie one after another as the tensor has them. */
function floatsOf({ name }: FixedFeed, batch: SentBatch): Float32Array {
  const cells = batch.feeds.get(name)?.cells ?? new Int32Array(0);
  return new Float32Array(cells.buffer, cells.byteOffset, cells.length);
}
