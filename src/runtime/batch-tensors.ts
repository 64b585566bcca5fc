import { grown } from './frames.js';
import type { InputName, InputType } from './model-contract.js';

/** One padded input: the data of a tensor with the dimensions [rows, width]. */
export type TensorData = Int32Array | BigInt64Array;

/** A batch as it came from the server. The arrays are views that the next batch overwrites. */
export interface RaggedBatch {
  readonly rows: number;
  /** Tokens of the longest row, at least 1. */
  readonly width: number;
  readonly lengths: Int32Array;
  /** Where each row's second text starts; undefined: not sent. */
  readonly pairStarts: Int32Array | undefined;
  /** The rows' ids, one after another. */
  readonly ids: Int32Array;
}

/**
 * Pads batches into one buffer per input, used again for every batch and grown where needed.
 *
 * An int64 tensor is filled through an Int32Array over the same memory, every second number, which is about three
 * times as fast as making BigInts. The upper halves are never written and stay zero: ids are not negative, and
 * every platform that onnxruntime-node is built for is little-endian.
 */
export class BatchTensors {
  readonly #buffers = new Map<InputName, ArrayBuffer>();
  readonly #inputs: readonly { readonly name: InputName; readonly type: InputType }[];
  readonly #padId: number;

  constructor(inputs: readonly { readonly name: InputName; readonly type: InputType }[], padId: number) {
    this.#inputs = inputs;
    this.#padId = padId;
  }

  /** Fills all inputs, and hands each to `use`. The data is a view that the next call overwrites. */
  fill(batch: RaggedBatch, use: (name: InputName, data: TensorData) => void): void {
    for (const { name, type } of this.#inputs) {
      const stride = type === 'int64' ? 2 : 1;
      const count = batch.rows * batch.width;
      const buffer = grown(this.#buffers.get(name) ?? new ArrayBuffer(4096), count * stride * 4);
      this.#buffers.set(name, buffer);
      const cells = new Int32Array(buffer, 0, count * stride);
      if (name === 'input_ids') fillIds(cells, stride, batch, this.#padId);
      else if (name === 'attention_mask') fillMask(cells, stride, batch);
      else fillTypes(cells, stride, batch);
      use(name, type === 'int64' ? new BigInt64Array(buffer, 0, count) : cells);
    }
  }
}

function fillIds(cells: Int32Array, stride: number, batch: RaggedBatch, padId: number): void {
  const { rows, width, lengths, ids } = batch;
  let at = 0;
  let next = 0;
  for (let row = 0; row < rows; row++) {
    const length = lengths[row] ?? 0;
    for (let column = 0; column < width; column++, at += stride) {
      cells[at] = column < length ? (ids[next++] ?? padId) : padId;
    }
  }
}

function fillMask(cells: Int32Array, stride: number, batch: RaggedBatch): void {
  let at = 0;
  for (let row = 0; row < batch.rows; row++) {
    const length = batch.lengths[row] ?? 0;
    for (let column = 0; column < batch.width; column++, at += stride) cells[at] = column < length ? 1 : 0;
  }
}

function fillTypes(cells: Int32Array, stride: number, batch: RaggedBatch): void {
  let at = 0;
  for (let row = 0; row < batch.rows; row++) {
    const length = batch.lengths[row] ?? 0;
    const pairStart = batch.pairStarts?.[row] ?? length;
    for (let column = 0; column < batch.width; column++, at += stride) {
      cells[at] = column >= pairStart && column < length ? 1 : 0;
    }
  }
}
