import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodedText, textFeeds } from '../../../src/preprocessing/text-preprocessor.js';
import { BatchTensors, type SentBatch } from '../../../src/runtime/batch-tensors.js';
import { type Feed, sentFeeds } from '../../../src/runtime/feeds.js';
import { REPLY_HEADER_BYTES, type Reply } from '../../../src/runtime/frames.js';
import { ReplyReader } from '../../../src/runtime/reply-reader.js';
import { RequestWriter } from '../../../src/runtime/request-writer.js';

const PAD = 7;
const FIRST = 2;
const encoding = fc
  .array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { maxLength: 40 })
  .chain((ids) => fc.integer({ min: 0, max: ids.length }).map((pairStart) => ({ ids, pairStart })));
const batch = fc.array(encoding, { minLength: 1, maxLength: 12 });
type Rows = { ids: number[]; pairStart: number }[];

/** The rows as the session process gets them; of a single text there are no types. */
function sent(rows: Rows): SentBatch {
  const types = rows.map(({ ids, pairStart }) => (pairStart < ids.length ? typesOf(ids, pairStart) : []));
  return {
    rows: rows.length,
    width: widthOf(rows),
    feeds: new Map([
      ['input_ids', cellsOf(rows.map(({ ids }) => ids))],
      ['token_type_ids', cellsOf(types)],
    ]),
  };
}

const widthOf = (rows: Rows) => Math.max(1, ...rows.map(({ ids }) => ids.length));

const typesOf = (ids: readonly number[], pairStart: number) =>
  ids.map((_, column) => (column >= pairStart ? 1 : 0));

function cellsOf(rows: readonly (readonly number[])[]) {
  return {
    lengths: Int32Array.from(rows, ({ length }) => length),
    cells: Int32Array.from(rows.flat()),
  };
}

/** What the model must be fed, written down without regard to speed. */
function expected(rows: Rows): Record<string, number[]> {
  const width = widthOf(rows);
  const columns = Array.from({ length: width }, (_, column) => column);
  return {
    input_ids: rows.flatMap(({ ids }) => columns.map((column) => ids[column] ?? PAD)),
    attention_mask: rows.flatMap(({ ids }) => columns.map((column) => (column < ids.length ? 1 : 0))),
    position_ids: rows.flatMap(() => columns.map((column) => column + FIRST)),
    global_attention_mask: rows.flatMap(() => columns.map((column) => (column === 0 ? 1 : 0))),
    token_type_ids: rows.flatMap(({ ids, pairStart }) =>
      columns.map((column) => (column >= pairStart && column < ids.length ? 1 : 0)),
    ),
  };
}

describe('batch tensors', () => {
  for (const type of ['int32', 'int64'] as const) {
    it(`hold padded ids, masks, token types and positions in ${type}, whatever was in them before`, () => {
      const tensors = new BatchTensors(textFeeds(PAD, FIRST).map((feed) => ({ feed, type })));
      fc.assert(
        fc.property(batch, (rows) => {
          const filled: Record<string, number[]> = {};
          tensors.fill(sent(rows), (name, data, dims) => {
            assert.deepEqual(dims, [rows.length, widthOf(rows)]);
            filled[name] = Array.from(data as ArrayLike<number | bigint>, Number);
          });
          assert.deepEqual(filled, expected(rows));
        }),
      );
    });
  }
});

describe('requests and replies', () => {
  it('carry a batch as header, and of each feed that the model has its lengths and its numbers', () => {
    const rows = [
      encodedText({ ids: Int32Array.of(2, 5, 3), pairStart: 3, truncated: false }),
      encodedText({ ids: Int32Array.of(2, 3, 9, 3), pairStart: 2, truncated: false }),
    ];
    const ints = (inputs: readonly string[]) =>
      Array.from(
        new Int32Array(new RequestWriter(sentFeeds(textFeeds(PAD), inputs)).write(rows).slice().buffer),
      );
    const ids = [3, 4, 2, 5, 3, 2, 3, 9, 3];
    assert.deepEqual(ints(['input_ids', 'attention_mask']), [2, 4, 9, ...ids]);
    assert.deepEqual(ints(['token_type_ids', 'input_ids']), [2, 4, 15, ...ids, 0, 4, 0, 0, 1, 1]);
  });

  it('carry floating-point numbers bit by bit, and none of a row of another size', () => {
    const pixels: Feed = { kind: 'fixed', name: 'pixels', shape: [2, 2] };
    const values = [
      [0.5, -1.25, Number.NaN, 1e-30],
      [1, 2, 3, Number.NEGATIVE_INFINITY],
    ];
    const writer = new RequestWriter(sentFeeds([pixels], ['pixels']));
    const row = (numbers: readonly number[]) => ({
      cost: 1,
      truncated: false,
      tensors: { pixels: Float32Array.from(numbers) },
    });
    const bytes = writer.write(values.map(row)).slice();
    const cells = new Int32Array(bytes.buffer);
    assert.deepEqual(Array.from(cells.subarray(0, 3)), [2, 1, 8]);
    const tensors = new BatchTensors([{ feed: pixels, type: 'float32' }]);
    const batch = {
      rows: 2,
      width: 1,
      feeds: new Map([['pixels', { lengths: undefined, cells: cells.subarray(3) }]]),
    };
    tensors.fill(batch, (name, data, dims) => {
      assert.deepEqual([name, dims], ['pixels', [2, 2, 2]]);
      assert.deepEqual(data, Float32Array.from(values.flat()));
    });
    assert.throws(() => writer.write([row([1, 2, 3])]), /3 numbers for pixels; expected 4/);
  });

  it('come out the same however the bytes of a reply are cut into chunks', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(payloads, fc.integer({ min: 1, max: 300 }), (sent, chunkBytes) => {
        const stream = Buffer.concat(sent.map((payload, index) => frame(index, payload)));
        const got: { kind: number; ms: number; payload: number[] }[] = [];
        const reader = new ReplyReader(({ kind, ms, payload }: Reply) => {
          got.push({ kind, ms, payload: Array.from(payload) });
        }, assert.fail);
        for (let at = 0; at < stream.length; at += chunkBytes)
          reader.push(stream.subarray(at, at + chunkBytes));
        assert.deepEqual(
          got,
          sent.map((payload, index) => ({ kind: index, ms: index / 2, payload: Array.from(payload) })),
        );
      }),
    );
  });

  it('may be larger than the first buffer', () => {
    const payload = new Uint8Array(300_000).fill(3);
    const got: Uint8Array[] = [];
    new ReplyReader((reply) => got.push(reply.payload.slice()), assert.fail).push(frame(1, payload));
    assert.deepEqual(got, [payload]);
  });
});

function frame(kind: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(REPLY_HEADER_BYTES);
  header.writeInt32LE(kind, 0);
  header.writeInt32LE(payload.length, 4);
  header.writeDoubleLE(kind / 2, 8);
  return Buffer.concat([header, payload]);
}
