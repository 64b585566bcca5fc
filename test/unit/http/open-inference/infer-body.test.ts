import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inferBodyFrom } from '../../../../src/http/open-inference/infer-body.js';
import { writeElements } from '../../../../src/rpc/open-inference/bytes-elements.js';

const named = { model: 'topics', version: '' };

/** A body of JSON alone. */
const read = (json: unknown, path = named) =>
  inferBodyFrom(Buffer.from(JSON.stringify(json)), undefined, path);

/** One with binary data behind the JSON. */
function readBinary(json: unknown, ...data: readonly Buffer[]) {
  const head = Buffer.from(JSON.stringify(json));
  return inferBodyFrom(Buffer.concat([head, ...data]), String(head.length), named);
}

const text = (data: unknown, shape: readonly number[] = [1], rest: object = {}) => ({
  ...{ name: 'text', datatype: 'BYTES', shape, data },
  ...rest,
});
const binary = (size: unknown, rest: object = {}) => ({
  ...{ name: 'text', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: size } },
  ...rest,
});

describe('the body of an infer request', () => {
  it('is the message that gRPC carries, with the texts as they lie in memory', () => {
    const { request } = read(
      {
        id: 'mine',
        inputs: [text(['é', 'b'], [2])],
        outputs: [{ name: 'label' }],
        parameters: { top_k: 2, min_score: 0.5, cache: 'bypass', sequence_start: true },
      },
      { model: 'topics', version: '3' },
    );
    assert.deepEqual(
      [request.modelName, request.modelVersion, request.id, request.outputs],
      ['topics', '3', 'mine', [{ name: 'label', parameters: {} }]],
    );
    assert.deepEqual(request.inputs, [
      { name: 'text', datatype: 'BYTES', shape: [2n], parameters: {}, contents: undefined },
    ]);
    assert.deepEqual(request.rawInputContents, [writeElements(['é', 'b'])]);
    assert.deepEqual(
      Object.entries(request.parameters).map(([name, one]) => [name, one.parameterChoice]),
      [
        ['top_k', { $case: 'int64Param', value: 2n }],
        ['min_score', { $case: 'doubleParam', value: 0.5 }],
        ['cache', { $case: 'stringParam', value: 'bypass' }],
        ['sequence_start', { $case: 'boolParam', value: true }],
      ],
    );
  });

  it('may nest data as its shape, and say the model again', () => {
    const { request } = read({ model_name: 'topics', inputs: [text([['a'], ['b']], [2, 1])] });
    assert.deepEqual(request.rawInputContents, [writeElements(['a', 'b'])]);
  });

  it('leaves out what is null', () => {
    const { request } = read({ id: null, parameters: null, outputs: null, inputs: [text(['a'])] });
    assert.deepEqual([request.id, request.parameters, request.outputs], ['', {}, []]);
  });

  it('has binary data in the order of the inputs, beside JSON', () => {
    const [first, second] = [writeElements(['a']), writeElements(['bc'])];
    const inputs = [binary(first.length), text(['x'], [1], { name: 'other' }), binary(second.length)];
    const { request } = readBinary({ inputs }, first, second);
    assert.deepEqual(request.rawInputContents, [first, writeElements(['x']), second]);
    assert.deepEqual(
      request.inputs.map(({ parameters }) => parameters),
      [{}, {}, {}],
    );
  });

  it('says which outputs are binary: each by itself, or all', () => {
    const outputs = [{ name: 'a', parameters: { binary_data: true } }, { name: 'b' }];
    const some = read({ inputs: [text(['a'])], outputs });
    assert.deepEqual([some.isBinary(0), some.isBinary(1)], [true, false]);
    const but = read({
      inputs: [text(['a'])],
      outputs: [{ name: 'a', parameters: { binary_data: false } }, { name: 'b' }],
      parameters: { binary_data_output: true },
    });
    assert.deepEqual([but.isBinary(0), but.isBinary(1)], [false, true]);
    assert.deepEqual(but.request.parameters, {});
    assert.equal(read({ inputs: [text(['a'])] }).isBinary(0), false);
  });

  it('passes on what the call refuses: other types, other parameters', () => {
    const { request } = read({
      inputs: [text([1], [1], { datatype: 'INT64', parameters: { shared_memory_region: 'r' } })],
      outputs: [{ name: 'label', parameters: { classification: 3 } }],
    });
    assert.deepEqual(Object.keys(request.inputs[0]?.parameters ?? {}), ['shared_memory_region']);
    assert.deepEqual(Object.keys(request.outputs[0]?.parameters ?? {}), ['classification']);
  });

  it('hides no parameter behind a name of JavaScript', () => {
    const body = Buffer.from(
      `{"inputs":[${JSON.stringify(text(['a']))}],"parameters":{"__proto__":"x","constructor":1}}`,
    );
    const { request } = inferBodyFrom(body, undefined, named);
    assert.deepEqual(Object.keys(request.parameters), ['__proto__', 'constructor']);
  });

  const wrong: readonly (readonly [why: string, json: unknown, message: RegExp])[] = [
    ['no object', [], /^body: must be a JSON object$/],
    ['a misspelt field', { input: [] }, /^body: has a field that is not known\. Known are id, /],
    ['no inputs', {}, /^inputs: must be an array$/],
    ['too many inputs', { inputs: new Array(17).fill(0) }, /^inputs: must have at most 16 elements, has 17$/],
    ['an input that is none', { inputs: ['a'] }, /^inputs\[0\]: must be a JSON object$/],
    ['a field of an input', { inputs: [text(['a'], [1], { dtype: 'x' })] }, /^inputs\[0\]: has a field/],
    ['no name', { inputs: [{ ...text(['a']), name: null }] }, /^inputs\[0\]\.name: must be a string$/],
    ['no shape', { inputs: [{ ...text(['a']), shape: 1 }] }, /^inputs\[0\]\.shape: must be an array$/],
    ['a size below 0', { inputs: [text(['a'], [-1])] }, /^inputs\[0\]\.shape: must be an array of whole/],
    ['a size that is not exact', { inputs: [text(['a'], [2 ** 53])] }, /^inputs\[0\]\.shape: /],
    [
      'a long shape',
      { inputs: [text([], new Array(33).fill(1))] },
      /^inputs\[0\]\.shape: must have at most 32/,
    ],
    ['no data', { inputs: [text(null)] }, /^inputs\[0\]\.data: must be an array$/],
    [
      'too little data',
      { inputs: [text(['a'], [2])] },
      /^inputs\[0\]\.data: must have the 2 elements .* has 1$/,
    ],
    [
      'too much data',
      { inputs: [text(['a', 'b'])] },
      /^inputs\[0\]\.data: must have the 1 elements .* has 2$/,
    ],
    ['a number', { inputs: [text([7])] }, /^inputs\[0\]\.data\[0\]: must be a string$/],
    ['deeper data', { inputs: [text([['a']])] }, /^inputs\[0\]\.data\[0\]: must be a string$/],
    [
      'uneven data',
      { inputs: [text([['a'], 'b'], [2, 1])] },
      /^inputs\[0\]\.data\[1\]: must be an array of one/,
    ],
    ['half a character', { inputs: [text(['\ud800'])] }, /^inputs\[0\]\.data\[0\]: must be Unicode/],
    ['another id', { inputs: [text(['a'])], id: 7 }, /^id: must be a string$/],
    ['half an id', { inputs: [text(['a'])], id: '\udc00' }, /^id: must be Unicode/],
    ['another model', { inputs: [text(['a'])], model_name: 'b' }, /^model_name: is not the same in the path/],
    ['another version', { inputs: [text(['a'])], model_version: '1' }, /^model_version: is not the same/],
    ['parameters', { inputs: [text(['a'])], parameters: [] }, /^parameters: must be a JSON object$/],
    [
      'an object',
      { inputs: [text(['a'])], parameters: { x: {} } },
      /^parameters\.x: must be a string, a number/,
    ],
    [
      'many parameters',
      {
        inputs: [text(['a'])],
        parameters: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [at, 1])),
      },
      /^parameters: must have at most 64 elements, has 65$/,
    ],
    [
      'a flag',
      { inputs: [text(['a'])], parameters: { binary_data_output: 1 } },
      /^parameters\.binary_data_output: must be true or false$/,
    ],
    [
      'the flag of an output',
      { inputs: [text(['a'])], outputs: [{ name: 'label', parameters: { binary_data: 'yes' } }] },
      /^outputs\[0\]\.parameters\.binary_data: must be true or false$/,
    ],
    [
      'no name of an output',
      { inputs: [text(['a'])], outputs: [{}] },
      /^outputs\[0\]\.name: must be a string$/,
    ],
    [
      'binary data untold',
      { inputs: [binary(4)] },
      /binary_data_size: must come with the header inference-header/,
    ],
  ];
  for (const [why, json, message] of wrong) {
    it(`is refused for ${why}`, () => {
      assert.throws(() => read(json), { code: 'invalid_argument', message });
    });
  }

  const tail = writeElements(['a']);
  const wrongTails: readonly (readonly [why: string, input: object, message: RegExp])[] = [
    ['a negative size', binary(-1), /^inputs\[0\]\.parameters\.binary_data_size: must be a whole number/],
    ['half a byte', binary(4.5), /binary_data_size: must be a whole number of bytes$/],
    ['a text', binary('5'), /binary_data_size: must be a whole number of bytes$/],
    ['an endless size', binary(1e300), /binary_data_size: must be a whole number of bytes$/],
    [
      'less than is told',
      binary(6),
      /binary_data_size: must be at most the 5 bytes that are left of the body$/,
    ],
    [
      'more than is told',
      binary(4),
      /^body: has 1 bytes more than the JSON and the binary data of the inputs$/,
    ],
    ['data that nobody tells of', text(['a']), /^body: has 5 bytes more/],
    ['data in both places', { ...binary(5), data: ['a'] }, /^inputs\[0\]\.data: must not be there beside/],
  ];
  for (const [why, input, message] of wrongTails) {
    it(`is refused for binary data with ${why}`, () => {
      assert.throws(() => readBinary({ inputs: [input] }, tail), { code: 'invalid_argument', message });
    });
  }

  it('gives no byte to two inputs', () => {
    assert.throws(() => readBinary({ inputs: [binary(5), binary(1)] }, tail), {
      message: /^inputs\[1\]\.parameters\.binary_data_size: must be at most the 0 bytes/,
    });
  });

  for (const length of ['', '-1', '1e1', '0x10', '9, 9', ' 1', '99999999999']) {
    it(`is refused for the length ${JSON.stringify(length)}`, () => {
      assert.throws(() => inferBodyFrom(Buffer.from('{}'), length, named), {
        message: /^inference-header-content-length: must be a number of bytes$/,
      });
    });
  }

  it('is refused where its JSON would end behind it, or within', () => {
    const body = Buffer.from(JSON.stringify({ inputs: [text(['a'])] }));
    assert.throws(() => inferBodyFrom(body, String(body.length + 1), named), {
      message: /^inference-header-content-length: must be at most the \d+ bytes of the body$/,
    });
    assert.throws(() => inferBodyFrom(body, String(body.length - 1), named), { message: /is not JSON/ });
  });
});
