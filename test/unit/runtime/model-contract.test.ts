import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { textFeeds } from '../../../src/preprocessing/text-preprocessor.js';
import type { Feed } from '../../../src/runtime/feeds.js';
import { ContractError, checkContract, type TensorDeclaration } from '../../../src/runtime/model-contract.js';

const FEEDS = textFeeds(0);
const PIXELS: Feed = { kind: 'fixed', name: 'pixel_values', shape: [3, 8, 8] };
const IDS = { name: 'input_ids', type: 'int64', shape: ['batch', 'sequence'] };
const MASK = { name: 'attention_mask', type: 'int64', shape: ['batch', 'sequence'] };
const LOGITS = { name: 'logits', type: 'float32', shape: ['batch', 2] };

function refusal(inputs: readonly TensorDeclaration[], outputs: readonly TensorDeclaration[]): string {
  try {
    checkContract('m.onnx', inputs, outputs, FEEDS, 2);
  } catch (error) {
    assert.ok(error instanceof ContractError);
    return error.message;
  }
  assert.fail('the contract was accepted');
}

describe('the contract of a model', () => {
  it('takes any subset of the known inputs that has input_ids, each int32 or int64', () => {
    const types = { name: 'token_type_ids', type: 'int32', shape: ['', ''] };
    const contract = checkContract('m.onnx', [types, IDS], [LOGITS], FEEDS, 2);
    assert.deepEqual(contract, {
      inputs: [
        { feed: FEEDS[2], type: 'int32' },
        { feed: FEEDS[0], type: 'int64' },
      ],
      output: 'logits',
      labelCount: 2,
    });
  });

  it('takes floating-point inputs of a fixed shape, whose sizes may be declared or not', () => {
    const check = (type: string, shape: readonly (number | string)[]) =>
      checkContract('m.onnx', [{ name: 'pixel_values', type, shape }], [LOGITS], [PIXELS], 2);
    for (const shape of [['batch', 3, 8, 8], ['batch', 'channels', 8, ''], []]) {
      assert.deepEqual(check('float32', shape).inputs, [{ feed: PIXELS, type: 'float32' }]);
    }
    const expected = /input "pixel_values" has the shape .*; expected \[batch, 3, 8, 8\], the batch dynamic/;
    for (const shape of [
      ['batch', 3, 8, 9],
      ['batch', 3, 8],
      [1, 3, 8, 8],
    ]) {
      assert.throws(() => check('float32', shape), expected);
    }
    assert.throws(() => check('float16', ['batch', 3, 8, 8]), /pixel_values" is float16; expected float32/);
  });

  it('reads the only output where none is called logits, and logits among several', () => {
    const other = { name: 'output_0', type: 'float32', shape: [] };
    assert.equal(checkContract('m.onnx', [IDS], [other], FEEDS, 2).output, 'output_0');
    assert.equal(checkContract('m.onnx', [IDS, MASK], [other, LOGITS], FEEDS, 2).output, 'logits');
  });

  const refusals: [string, TensorDeclaration[], TensorDeclaration[], string][] = [
    [
      'an unknown input',
      [IDS, { ...IDS, name: 'pixel_values' }],
      [LOGITS],
      'm.onnx: input "pixel_values" is unknown; expected a subset of input_ids, attention_mask, token_type_ids, position_ids, global_attention_mask',
    ],
    [
      'an input of another type',
      [{ ...IDS, type: 'float32' }],
      [LOGITS],
      'm.onnx: input "input_ids" is float32; expected int64 or int32',
    ],
    [
      'an input that is not a tensor',
      [IDS, { ...MASK, type: undefined }],
      [LOGITS],
      'm.onnx: input "attention_mask" is not a tensor; expected int64 or int32',
    ],
    [
      'an input of fixed size',
      [{ ...IDS, shape: [1, 128] }],
      [LOGITS],
      'm.onnx: input "input_ids" has the shape [1, 128]; expected [batch, sequence], both dynamic',
    ],
    ['no ids', [MASK], [LOGITS], 'm.onnx: input "input_ids" is missing; the inputs are: attention_mask'],
    ['no output', [IDS], [], 'm.onnx: output "logits" is missing; the outputs are: none'],
    [
      'half-precision logits',
      [IDS],
      [{ ...LOGITS, type: 'float16' }],
      'm.onnx: output "logits" is float16; expected float32. Export it with fp32 inputs and outputs: ' +
        'python training/export, or keep_io_types=True',
    ],
    [
      'logits for every token',
      [IDS],
      [{ ...LOGITS, shape: ['batch', 'sequence', 2] }],
      'm.onnx: output "logits" has the shape [batch, sequence, 2]; expected [batch, labels]',
    ],
    [
      'another number of labels',
      [IDS],
      [{ ...LOGITS, shape: ['batch', 3] }],
      'm.onnx: output "logits" is 3 wide; expected 2, one for each label',
    ],
  ];
  for (const [what, inputs, outputs, message] of refusals) {
    it(`refuses ${what}, in words that name file, tensor and expectation`, () => {
      assert.equal(refusal(inputs, outputs), message);
    });
  }
});
