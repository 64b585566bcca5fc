import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InferTensorContents, ModelInferRequest } from '../../../../generated/inference/grpc_service.js';
import { VerdictError } from '../../../../src/errors.js';
import { writeElements } from '../../../../src/rpc/open-inference/bytes-elements.js';
import { inferJobFrom } from '../../../../src/rpc/open-inference/infer-request.js';
import {
  inferParameters,
  inferRequest,
  rawInferRequest,
  textTensor,
} from '../../../support/infer-requests.js';

const limits = { maxTextChars: 100, maxBatchInputs: 4 };
const jobOf = (request: ModelInferRequest) => inferJobFrom(request, limits);

/** What is wrong with a request: `field: description`. */
function wrong(request: ModelInferRequest): string[] {
  try {
    jobOf(request);
  } catch (error) {
    assert.ok(error instanceof VerdictError);
    assert.equal(error.code, 'invalid_argument');
    return error.violations.map(({ field, description }) => `${field}: ${description}`);
  }
  return [];
}

const optionsOf = (values: Parameters<typeof inferParameters>[0]) =>
  jobOf(inferRequest(['a'], { parameters: inferParameters(values) })).options;

const wrongParameters = (values: Parameters<typeof inferParameters>[0]) =>
  wrong(inferRequest(['a'], { parameters: inferParameters(values) }));

describe('the tensors of a request', () => {
  it('are texts, in their contents or as they lie in memory', () => {
    const texts = ['one', 'naïve café 日本', '😀'];
    for (const request of [inferRequest(texts), rawInferRequest(texts)])
      assert.deepEqual(
        jobOf(request).inputs.map(({ text }) => text),
        texts,
      );
    assert.deepEqual([jobOf(inferRequest(texts)).isRaw, jobOf(rawInferRequest(texts)).isRaw], [false, true]);
  });

  it('may have a column of their own', () => {
    const tensor = { ...textTensor(['a', 'b']), shape: [2n, 1n] };
    assert.equal(jobOf(inferRequest([], { inputs: [tensor] })).inputs.length, 2);
  });

  it('are pairs where there are two, in either order and in any case', () => {
    const inputs = [textTensor(['a', 'b'], 'TEXT_PAIR'), textTensor(['1', '2'], 'Text')];
    const { inputs: found, places } = jobOf(ModelInferRequest.fromPartial({ inputs }));
    assert.deepEqual(found, [
      { text: '1', textPair: 'a' },
      { text: '2', textPair: 'b' },
    ]);
    assert.deepEqual(places, { text: 1, pair: 0 });
  });

  it('are refused under any other name, and twice', () => {
    const inputs = [textTensor(['a']), textTensor(['a'], 'words'), textTensor(['a'], 'TEXT')];
    assert.deepEqual(wrong(ModelInferRequest.fromPartial({ inputs })), [
      'inputs[1].name: must be text or text_pair',
      'inputs[2].name: must not be there twice',
    ]);
    const pairs = [textTensor(['a'], 'text_pair')];
    assert.deepEqual(wrong(ModelInferRequest.fromPartial({ inputs: pairs })), [
      'inputs: must have the tensor text',
    ]);
    assert.deepEqual(wrong(ModelInferRequest.fromPartial({})), ['inputs: must have the tensor text']);
  });

  it('are refused with another type or shape', () => {
    const tensor = textTensor(['a', 'b']);
    const shaped = (...shape: bigint[]) => wrong(inferRequest([], { inputs: [{ ...tensor, shape }] }));
    const oneColumn = ['inputs[0].shape: must be [n] or [n, 1] for n texts'];
    for (const shape of [[], [2n, 2n], [1n, 2n], [2n, 1n, 1n], [2n, -1n]])
      assert.deepEqual(shaped(...shape), oneColumn);
    for (const count of [0n, -1n, 5n, 2n ** 63n - 1n])
      assert.deepEqual(shaped(count), [`inputs[0].shape: must be 1 to 4 texts, is ${count}`]);
    assert.deepEqual(shaped(3n), [
      'inputs[0].contents.bytes_contents: must have the 3 elements of the shape, has 2',
    ]);
    assert.deepEqual(wrong(inferRequest([], { inputs: [{ ...tensor, datatype: 'INT64' }] })), [
      'inputs[0].datatype: must be BYTES',
    ]);
    const contents = { ...tensor.contents, fp32Contents: [1] };
    assert.deepEqual(wrong(inferRequest([], { inputs: [{ ...tensor, contents }] })), [
      'inputs[0].contents: must have bytes_contents alone',
    ]);
  });

  it('are refused where the two of pairs differ in length', () => {
    const inputs = [textTensor(['a', 'b']), textTensor(['c'], 'text_pair')];
    assert.deepEqual(wrong(ModelInferRequest.fromPartial({ inputs })), [
      'inputs[1].shape: must be that of text: 2 texts, not 1',
    ]);
  });

  it('are refused where bytes and shape disagree', () => {
    const { inputs } = rawInferRequest(['a', 'b']);
    const raw = (...rawInputContents: Buffer[]) =>
      wrong(ModelInferRequest.fromPartial({ inputs, rawInputContents }));
    assert.deepEqual(raw(writeElements(['a'])), [
      'raw_input_contents[0]: ends before element 1: its shape tells 2',
    ]);
    assert.deepEqual(raw(writeElements(['a', 'b', 'c'])), [
      'raw_input_contents[0]: has 5 bytes more than the 2 elements of its shape',
    ]);
    assert.deepEqual(raw(writeElements(['a', 'b']), Buffer.of()), [
      'raw_input_contents: must have one entry for each of the 1 inputs, or none; has 2',
    ]);
    const both = inferRequest(['a', 'b'], { rawInputContents: [writeElements(['a', 'b'])] });
    assert.deepEqual(wrong(both), ['inputs[0].contents: must not be set beside raw_input_contents']);
    // MLServer's converter writes it so.
    const empty = both.inputs.map((input) => ({ ...input, contents: InferTensorContents.fromPartial({}) }));
    const rawInputContents = [writeElements(['a', 'b'])];
    assert.deepEqual(wrong(ModelInferRequest.fromPartial({ inputs: empty, rawInputContents })), []);
  });

  it('are refused with every text that is, by its place', () => {
    const tensor = textTensor(['fine', '', ' ', 'x'.repeat(101)]);
    assert.deepEqual(wrong(inferRequest([], { inputs: [tensor] })), [
      'inputs[0][1]: must not be empty',
      'inputs[0][2]: must hold more than white space',
      'inputs[0][3]: must have at most 100 UTF-16 units, has 101',
    ]);
    const bytesContents = [Buffer.from('fine'), Buffer.of(0xff)];
    const inputs = [{ ...textTensor(['', '']), contents: { bytesContents } }];
    assert.deepEqual(wrong(ModelInferRequest.fromPartial({ inputs })), ['inputs[0][1]: must be UTF-8']);
  });
});

describe('the outputs of a request', () => {
  const outputs = (...names: string[]) => inferRequest(['a'], { outputs: names.map((name) => ({ name })) });

  it('are label, score and index where it asks for none', () => {
    assert.deepEqual(
      jobOf(outputs()).outputs.map(({ name }) => name),
      ['label', 'score', 'index'],
    );
  });

  it('are those that it asks for, in its order and spelling', () => {
    assert.deepEqual(jobOf(outputs('logits', 'LABEL')).outputs, [
      { output: 'logits', name: 'logits' },
      { output: 'label', name: 'LABEL' },
    ]);
  });

  it('are refused under any other name, and twice', () => {
    assert.deepEqual(wrong(outputs('label', 'probabilities', 'Label')), [
      'outputs[1].name: must be one of label, score, index, logits',
      'outputs[2].name: must not be there twice',
    ]);
  });
});

describe('the parameters of a request', () => {
  it('are the options of a classification', () => {
    assert.deepEqual(optionsOf({}).classify, {
      ...{ topK: 1, minScore: undefined, activation: undefined, truncation: undefined, cache: 'use' },
    });
    const all = { top_k: 0n, min_score: 0.25, activation: 'sigmoid', truncation: 'reject', cache: 'refresh' };
    assert.deepEqual(optionsOf(all).classify, {
      ...{ topK: 0, minScore: 0.25, activation: 'sigmoid', truncation: 'reject', cache: 'refresh' },
    });
  });

  it('take whole numbers in every type that has them', () => {
    const parameters = { top_k: { parameterChoice: { $case: 'uint64Param', value: 3n } } } as const;
    assert.equal(jobOf(inferRequest(['a'], { parameters })).options.classify.topK, 3);
    assert.equal(optionsOf({ top_k: 3 }).classify.topK, 3);
    assert.equal(optionsOf({ min_score: 1n }).classify.minScore, 1);
  });

  it('say which class the request has, and how long it may take', () => {
    const of = (values: Parameters<typeof inferParameters>[0]) => {
      const { serviceClass, timeoutMs } = optionsOf(values);
      return [serviceClass, timeoutMs];
    };
    assert.deepEqual(of({}), [undefined, undefined]);
    assert.deepEqual(of({ priority: 0n, timeout: 0n }), [undefined, undefined]);
    assert.deepEqual(of({ priority: 1n, timeout: 1_500n }), ['interactive', 1.5]);
    assert.deepEqual(of({ priority: 2n }), ['bulk', undefined]);
  });

  it('may say what has no meaning here, in the right types', () => {
    const sent = { sequence_start: true, sequence_end: false, triton_enable_empty_final_response: true };
    assert.deepEqual(optionsOf({ ...sent, sequence_id: 7n }), optionsOf({ ...sent, sequence_id: 'seven' }));
    assert.deepEqual(wrongParameters({ sequence_start: 1n, sequence_id: true }), [
      'parameters.sequence_start: must be a boolean',
      'parameters.sequence_id: must be a whole number or a string',
    ]);
  });

  it('are refused under any other name, which is told if it can be read', () => {
    const [problem, unreadable] = wrongParameters({ temperature: 0.5, 'a\nb': 'c' });
    assert.match(problem ?? '', /^parameters\.temperature: is not a known parameter\. Known are top_k, /);
    assert.match(unreadable ?? '', /^parameters: is not a known parameter/);
    for (const name of ['constructor', 'toString'])
      assert.match(wrongParameters({ [name]: 1 })[0] ?? '', new RegExp(`^parameters\\.${name}: `));
  });

  it('are refused under the name of the prototype, too', () => {
    const bytes = ModelInferRequest.encode(
      inferRequest(['a'], { parameters: inferParameters({ p: true }) }),
    ).finish();
    const before = Buffer.from(bytes).toString('latin1');
    // The entry: its length, its key `p`, its value.
    const after = before.replace('\x22\x07\x0a\x01p', '\x22\x0f\x0a\x09__proto__');
    assert.notEqual(after, before);
    const request = ModelInferRequest.decode(Buffer.from(after, 'latin1'));
    assert.match(wrong(request)[0] ?? '', /^parameters\.__proto__: is not a known parameter/);
  });

  it('are refused with a value of another type or range', () => {
    const wrongOne = (name: string, value: string | number | bigint | boolean) =>
      wrongParameters({ [name]: value })[0]?.replace(`parameters.${name}: `, '');
    for (const value of [-1n, 1.5, 2n ** 32n, '1', true])
      assert.equal(wrongOne('top_k', value), 'must be a whole number from 0 to 4294967295');
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '0.5'])
      assert.equal(wrongOne('min_score', value), 'must be a finite number');
    for (const value of ['SOFTMAX', '', 1n])
      assert.equal(wrongOne('activation', value), 'must be one of the strings softmax, sigmoid, none');
    assert.equal(wrongOne('truncation', 'middle'), 'must be one of the strings end, start, reject');
    assert.equal(wrongOne('cache', false), 'must be one of the strings use, bypass, refresh');
    assert.equal(wrongOne('timeout', -1n), 'must be a whole number of microseconds, or 0 for none');
    assert.match(wrongOne('priority', 'high') ?? '', /^must be a whole number: /);
  });

  it('that say what MLServer says of texts are taken', () => {
    const written = (ofRequest: string, ofTensor: string) =>
      wrong(
        inferRequest([], {
          parameters: inferParameters({ content_type: ofRequest }),
          inputs: [{ ...textTensor(['a']), parameters: inferParameters({ content_type: ofTensor }) }],
        }),
      );
    assert.deepEqual(written('str', 'str'), []);
    assert.deepEqual(written('pd', 'str'), []);
    assert.deepEqual(written('np', 'hg_json'), [
      'parameters.content_type: must be one of the strings str, pd',
      'inputs[0].parameters.content_type: must be the string str',
    ]);
  });

  it('of tensors are refused under any other name', () => {
    const parameters = inferParameters({ classification: 2n });
    const tensor = { ...textTensor(['a']), parameters };
    const request = inferRequest([], { inputs: [tensor], outputs: [{ name: 'label', parameters }] });
    assert.deepEqual(wrong(request), [
      'outputs[0].parameters.classification: is not a known parameter',
      'inputs[0].parameters.classification: is not a known parameter. The only one known is content_type',
    ]);
  });
});

it('every field that is wrong is named at once', () => {
  const request = inferRequest([''], { modelName: 'Not A Name', modelVersion: '01', id: 'i'.repeat(129) });
  assert.deepEqual(
    wrong(request).map((problem) => problem.split(':')[0]),
    ['model_name', 'model_version', 'id', 'inputs[0][0]'],
  );
});
