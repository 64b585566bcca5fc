import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BatchTensors, type RaggedBatch } from '../../../src/runtime/batch-tensors.js';
import { REPLY_HEADER_BYTES, type Reply } from '../../../src/runtime/frames.js';
import { ReplyReader } from '../../../src/runtime/reply-reader.js';
import { RequestWriter } from '../../../src/runtime/request-writer.js';

const PAD = 7;
const encoding = fc
  .array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { maxLength: 40 })
  .chain((ids) => fc.integer({ min: 0, max: ids.length }).map((pairStart) => ({ ids, pairStart })));
const batch = fc.array(encoding, { minLength: 1, maxLength: 12 });
type Rows = { ids: number[]; pairStart: number }[];

function ragged(rows: Rows): RaggedBatch {
  return {
    rows: rows.length,
    width: Math.max(1, ...rows.map(({ ids }) => ids.length)),
    lengths: Int32Array.from(rows, ({ ids }) => ids.length),
    pairStarts: Int32Array.from(rows, ({ pairStart }) => pairStart),
    ids: Int32Array.from(rows.flatMap(({ ids }) => ids)),
  };
}

/** What the model must be fed, written down without regard to speed. */
function expected(rows: Rows): Record<string, number[]> {
  const { width } = ragged(rows);
  const columns = Array.from({ length: width }, (_, column) => column);
  return {
    input_ids: rows.flatMap(({ ids }) => columns.map((column) => ids[column] ?? PAD)),
    attention_mask: rows.flatMap(({ ids }) => columns.map((column) => (column < ids.length ? 1 : 0))),
    token_type_ids: rows.flatMap(({ ids, pairStart }) =>
      columns.map((column) => (column >= pairStart && column < ids.length ? 1 : 0)),
    ),
  };
}

describe('batch tensors', () => {
  for (const type of ['int32', 'int64'] as const) {
    it(`hold padded ids, mask and token types in ${type}, whatever was in them before`, () => {
      const names = ['input_ids', 'attention_mask', 'token_type_ids'] as const;
      const tensors = new BatchTensors(
        names.map((name) => ({ name, type })),
        PAD,
      );
      fc.assert(
        fc.property(batch, (rows) => {
          const filled: Record<string, number[]> = {};
          tensors.fill(ragged(rows), (name, data) => {
            filled[name] = Array.from(data, Number);
          });
          assert.deepEqual(filled, expected(rows));
        }),
      );
    });
  }
});

describe('requests and replies', () => {
  it('carry a batch as header, lengths, pair starts where the model has token types, and ids', () => {
    const rows = [
      { ids: Int32Array.of(2, 5, 3), pairStart: 3, truncated: false },
      { ids: Int32Array.of(2, 3, 9, 3), pairStart: 2, truncated: false },
    ];
    const ints = (bytes: Uint8Array) => Array.from(new Int32Array(bytes.slice().buffer));
    assert.deepEqual(ints(new RequestWriter(false).write(rows)), [2, 4, 7, 0, 3, 4, 2, 5, 3, 2, 3, 9, 3]);
    assert.deepEqual(
      ints(new RequestWriter(true).write(rows)),
      [2, 4, 7, 1, 3, 4, 3, 2, 2, 5, 3, 2, 3, 9, 3],
    );
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
