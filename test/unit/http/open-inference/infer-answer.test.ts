import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inferAnswer } from '../../../../src/http/open-inference/infer-answer.js';
import { writeElements } from '../../../../src/rpc/open-inference/bytes-elements.js';
import { writeNumbers } from '../../../../src/rpc/open-inference/number-elements.js';

const output = (name: string, datatype: string, shape: readonly bigint[]) => ({
  ...{ name, datatype, shape: [...shape], parameters: {}, contents: undefined },
});

/** Two texts with one prediction each. */
const response = {
  ...{ modelName: 'topics', modelVersion: '1', id: 'mine', parameters: {} },
  outputs: [
    output('label', 'BYTES', [2n, 1n]),
    output('score', 'FP32', [2n, 1n]),
    output('index', 'INT32', [2n, 1n]),
  ],
  rawOutputContents: [
    writeElements(['é', '']),
    writeNumbers('FP32', [0.5, 0]),
    writeNumbers('INT32', [3, -1]),
  ],
};
const head = { model_name: 'topics', model_version: '1', id: 'mine' };

describe('the answer to an infer request', () => {
  it('is JSON', () => {
    assert.deepEqual(
      inferAnswer(response, () => false),
      {
        body: {
          ...head,
          outputs: [
            { name: 'label', datatype: 'BYTES', shape: [2, 1], data: ['é', ''] },
            { name: 'score', datatype: 'FP32', shape: [2, 1], data: [0.5, 0] },
            { name: 'index', datatype: 'INT32', shape: [2, 1], data: [3, -1] },
          ],
        },
      },
    );
  });

  it('has an id only if the request has one', () => {
    const { body } = inferAnswer({ ...response, id: '' }, () => false);
    assert.deepEqual(Object.keys(body as object), ['model_name', 'model_version', 'outputs']);
  });

  it('has the outputs that are wanted as binary data behind the JSON, in their order', () => {
    const { body, headers } = inferAnswer(response, (place) => place !== 1);
    assert.ok(Buffer.isBuffer(body));
    assert.equal(headers?.['content-type'], 'application/octet-stream');
    const length = Number(headers?.['inference-header-content-length']);
    assert.deepEqual(JSON.parse(body.toString('utf8', 0, length)), {
      ...head,
      outputs: [
        { name: 'label', datatype: 'BYTES', shape: [2, 1], parameters: { binary_data_size: 10 } },
        { name: 'score', datatype: 'FP32', shape: [2, 1], data: [0.5, 0] },
        { name: 'index', datatype: 'INT32', shape: [2, 1], parameters: { binary_data_size: 8 } },
      ],
    });
    const [label, , index] = response.rawOutputContents;
    assert.deepEqual(body.subarray(length), Buffer.concat([label ?? Buffer.of(), index ?? Buffer.of()]));
  });

  it('may have nothing in an output', () => {
    const empty = {
      ...response,
      outputs: [output('label', 'BYTES', [1n, 0n])],
      rawOutputContents: [Buffer.of()],
    };
    assert.deepEqual(inferAnswer(empty, () => false).body, {
      ...head,
      outputs: [{ name: 'label', datatype: 'BYTES', shape: [1, 0], data: [] }],
    });
    assert.ok(Buffer.isBuffer(inferAnswer(empty, () => true).body));
  });
});
