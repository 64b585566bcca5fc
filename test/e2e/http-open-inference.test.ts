import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readElements, writeElements } from '../../src/rpc/open-inference/bytes-elements.js';
import { readNumbers } from '../../src/rpc/open-inference/number-elements.js';
import type { HttpAnswer } from '../support/envoy-service.js';
import { HttpService } from '../support/http-service.js';
import { at, type JsonValue } from '../support/json-value.js';
import { TestKeyFile } from '../support/key-files.js';
import { suiteCleanup } from '../support/suite-cleanup.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const infer = '/v2/models/topics/infer';
const jsonLength = 'inference-header-content-length';

const tensor = (
  texts: readonly string[],
  rest: Record<string, JsonValue> = {},
): Record<string, JsonValue> => ({
  ...{ name: 'text', datatype: 'BYTES', shape: [texts.length], data: [...texts] },
  ...rest,
});

/** The elements of an output. */
function dataOf({ json }: HttpAnswer, name: string): JsonValue {
  const outputs = at(json, 'outputs');
  assert.ok(Array.isArray(outputs));
  return at(outputs.find((one) => at(one, 'name') === name) ?? null, 'data');
}

/** The HTTP code and the error of an answer. */
function refusal({ status, json }: HttpAnswer): string {
  const error = at(json, 'error');
  assert.ok(typeof error === 'string');
  return `${status} ${error}`;
}

describe('the Open Inference Protocol over HTTP', () => {
  const cleanup = suiteCleanup();
  let http: HttpService;
  let user: Record<string, string>;
  let operator: Record<string, string>;

  before(async () => {
    const keys = new TestKeyFile(temporaryFolder(cleanup));
    user = { authorization: `Bearer ${keys.add('web')}` };
    operator = { authorization: `Bearer ${keys.add('ops', { scopes: ['classify', 'admin'] })}` };
    keys.write();
    http = await HttpService.start(['topics', 'softmaxed'], { VERDICT_API_KEYS_FILE: keys.path });
  });

  after(() => http.stop());

  const get = (path: string) => http.get(path, user);
  const post = (path: string, body: JsonValue, headers = user) => http.post(path, body, headers);

  /** POSTs JSON with binary data behind it. */
  async function postBinary(json: JsonValue, ...data: readonly Buffer[]) {
    const head = Buffer.from(JSON.stringify(json));
    const response = await fetch(`${http.url}${infer}`, {
      method: 'POST',
      headers: { ...user, 'content-type': 'application/octet-stream', [jsonLength]: String(head.length) },
      body: Buffer.concat([head, ...data]),
    });
    const body = Buffer.from(await response.arrayBuffer());
    const length = Number(response.headers.get(jsonLength) ?? body.length);
    const answer: JsonValue = JSON.parse(body.toString('utf8', 0, length));
    return { status: response.status, json: answer, tail: body.subarray(length), response };
  }

  it('says who is alive and ready to anybody, and what it is to those with a key', async () => {
    assert.deepEqual((await http.get('/v2/health/live')).json, { live: true });
    assert.deepEqual((await http.get('/v2/health/ready')).json, { ready: true });
    const stranger = await http.get('/v2');
    assert.deepEqual([stranger.status, stranger.headers.get('www-authenticate')], [401, 'Bearer']);
    assert.deepEqual(Object.keys(stranger.json as object), ['error']);
    const server = await get('/v2');
    assert.deepEqual(
      [at(server.json, 'name'), at(server.json, 'extensions', 0)],
      ['verdict', 'binary_tensor_data'],
    );
  });

  it('tells of a model and its versions', async () => {
    for (const path of ['/v2/models/topics', '/v2/models/topics/versions/1']) {
      const { json } = await get(path);
      assert.deepEqual(at(json, 'inputs'), [{ name: 'text', datatype: 'BYTES', shape: [-1] }]);
      assert.deepEqual(at(json, 'outputs', 3), { name: 'logits', datatype: 'FP32', shape: [-1, 4] });
      assert.deepEqual((await get(`${path}/ready`)).json, { name: 'topics', ready: true });
      assert.deepEqual(at((await get(`${path}/config`)).json, 'output', 2), {
        ...{ name: 'index', data_type: 'TYPE_INT32', dims: [-1, -1] },
      });
    }
    for (const path of ['/v2/models/nope/ready', '/v2/models/topics/versions/7/ready'])
      assert.deepEqual([(await get(path)).status, at((await get(path)).json, 'ready')], [503, false]);
    assert.equal(refusal(await get('/v2/models/nope')), '404 there is no model nope');
    assert.equal(refusal(await get('/v2/models/topics/versions/7')), '404 version topics/7 is not loaded');
  });

  it('gives the answers of the own service in JSON, and echoes the id', async () => {
    const texts = ['match of the day', 'parliament of the day'];
    const answer = await post(infer, { id: 'é-1', inputs: [tensor(texts)], parameters: { top_k: 0 } });
    assert.equal(answer.status, 200);
    assert.deepEqual(
      [at(answer.json, 'model_name'), at(answer.json, 'model_version'), at(answer.json, 'id')],
      ['topics', '1', 'é-1'],
    );
    const own = await post('/v1:batchClassify', {
      inputs: texts.map((text) => ({ text })),
      options: { topK: 0 },
    });
    const predictions = texts.flatMap((_, row) =>
      at(own.json, 'results', row, 'classification', 'predictions'),
    );
    assert.deepEqual(
      dataOf(answer, 'label'),
      predictions.map((one) => at(one, 'label')),
    );
    assert.deepEqual(
      dataOf(answer, 'score'),
      predictions.map((one) => Math.fround(Number(at(one, 'score')))),
    );
    assert.deepEqual(
      dataOf(answer, 'index'),
      predictions.map((one) => at(one, 'index')),
    );
    assert.deepEqual(at(answer.json, 'outputs', 0, 'shape'), [2, 4]);
  });

  it('takes nested data, pairs, versions and the outputs that are asked for', async () => {
    const nested = tensor([], { shape: [2, 1], data: [['the match'], ['the law']] });
    const column = await post('/v2/models/topics/versions/1/infer', {
      inputs: [nested],
      outputs: [{ name: 'label' }],
    });
    assert.deepEqual(dataOf(column, 'label'), ['sports', 'politics']);
    assert.equal((at(column.json, 'outputs') as JsonValue[]).length, 1);
    const inputs = [tensor(['the match']), tensor(['the law'], { name: 'text_pair' })];
    const pair = await post(infer, { inputs });
    const own = await post('/v1:classify', { pair: { text: 'the match', textPair: 'the law' } });
    const score = Number(at(own.json, 'classification', 'predictions', 0, 'score'));
    assert.deepEqual(dataOf(pair, 'score'), [Math.fround(score)]);
  });

  it('takes binary data and gives it, all of it or one output of several', async () => {
    const texts = ['the match', 'dîner'];
    const raw = writeElements(texts);
    const { data: _, ...input } = tensor(texts, { parameters: { binary_data_size: raw.length } });
    const all = await postBinary({ inputs: [input], parameters: { binary_data_output: true } }, raw);
    assert.deepEqual(
      [all.status, all.response.headers.get('content-type')],
      [200, 'application/octet-stream'],
    );
    const json = await post(infer, { inputs: [tensor(texts)] });
    const labels = dataOf(json, 'label') as JsonValue[];
    const size = Number(at(all.json, 'outputs', 0, 'parameters', 'binary_data_size'));
    const elements = readElements(all.tail.subarray(0, size), 2);
    assert.deepEqual(typeof elements === 'string' ? elements : elements.map(String), labels);
    assert.deepEqual(readNumbers('FP32', all.tail.subarray(size, size + 8)), dataOf(json, 'score'));
    assert.deepEqual(readNumbers('INT32', all.tail.subarray(size + 8)), dataOf(json, 'index'));
    const outputs = [{ name: 'label' }, { name: 'index', parameters: { binary_data: true } }];
    const one = await postBinary({ inputs: [input], outputs }, raw);
    assert.deepEqual(at(one.json, 'outputs', 0, 'data'), labels);
    assert.deepEqual(readNumbers('INT32', one.tail), dataOf(json, 'index'));
  });

  it("answers what Flink's model provider sends", async () => {
    const headers = { ...user, 'content-type': 'application/json; charset=utf-8' };
    const request = {
      id: 'job-0-1',
      parameters: { priority: 2, sequence_start: true, sequence_end: true },
      inputs: [{ name: 'TEXT', datatype: 'BYTES', shape: [1], data: ['dinner today'] }],
      outputs: [{ name: 'LABEL' }],
    };
    const scalar = await post(infer, request, headers);
    assert.deepEqual([at(scalar.json, 'id'), dataOf(scalar, 'LABEL')], ['job-0-1', ['food']]);
    const list = { name: 'TEXT', datatype: 'BYTES', shape: [2], data: ['dinner today', 'the match'] };
    const flat = await post(infer, { inputs: [list], outputs: [{ name: 'LABEL' }] }, headers);
    assert.deepEqual(dataOf(flat, 'LABEL'), ['food', 'sports']);
    const batch = await post(infer, { inputs: [{ ...list, shape: [1, 2] }] }, headers);
    assert.equal(refusal(batch), '400 inputs[0].shape: must be [n] or [n, 1] for n texts');
    const nothing = await post(infer, { inputs: [{ ...list, shape: [1], data: [null] }] }, headers);
    assert.equal(refusal(nothing), '400 inputs[0].data[0]: must be a string');
  });

  it('names what is wrong as the request has it', async () => {
    const raw = writeElements(['the match']);
    const binary = (size: number, shape = [1]) => ({
      ...{ name: 'text', datatype: 'BYTES', shape, parameters: { binary_data_size: size } },
    });
    const cut = await postBinary({ inputs: [binary(8)] }, raw.subarray(0, 8));
    assert.deepEqual(
      [cut.status, at(cut.json, 'error')],
      [400, 'inputs[0].data: ends within element 0: 9 bytes were announced, 4 are left'],
    );
    const short = await postBinary({ inputs: [binary(raw.length, [2])] }, raw);
    assert.equal(at(short.json, 'error'), 'inputs[0].data: ends before element 1: its shape tells 2');
    const bytes = Buffer.from([1, 0, 0, 0, 0xff]);
    const noText = await postBinary({ inputs: [binary(5)] }, bytes);
    assert.deepEqual([noText.status, at(noText.json, 'error')], [400, 'inputs[0][0]: must be UTF-8']);
    const wrong: readonly (readonly [body: JsonValue, refused: RegExp])[] = [
      ['{', /^400 the body is not JSON in UTF-8$/],
      [{ inputs: [] }, /^400 inputs: must have the tensor text$/],
      [{ inputs: [tensor(['a', ''])] }, /^400 inputs\[0\]\[1\]: must not be empty$/],
      [
        { inputs: [tensor(['a'], { datatype: 'INT64', data: [1] })] },
        /^400 inputs\[0\]\.datatype: must be BYTES/,
      ],
      [
        { inputs: [tensor(new Array<string>(33).fill('a'))] },
        /^400 inputs\[0\]\.shape: must be 1 to 32 texts, is 33/,
      ],
      [
        { inputs: [tensor(['a'])], parameters: { topk: 1 } },
        /^400 parameters\.topk: is not a known parameter/,
      ],
      [
        { inputs: [tensor(['a'])], outputs: [{ name: 'x' }] },
        /^400 outputs\[0\]\.name: must be one of label/,
      ],
      [
        { inputs: [tensor(['a'])], outputs: [{ name: 'label', parameters: { classification: 2 } }] },
        /^400 outputs\[0\]\.parameters\.classification: is not a known parameter$/,
      ],
      [{ inputs: [tensor(['a'.repeat(8 * 2 ** 20)])] }, /^413 the body has more than 8388608 bytes$/],
    ];
    for (const [body, refused] of wrong) assert.match(refusal(await post(infer, body)), refused);
    assert.equal(
      refusal(await post('/v2/models/nope/infer', { inputs: [tensor(['a'])] })),
      '404 there is no model nope',
    );
  });

  it('refuses what becomes no call in its own form, too', async () => {
    assert.equal(refusal(await get(infer)), '405 this path takes POST only');
    assert.equal(refusal(await get('/v2/models/topics/stats')), '404 there is no such path');
    const packed = await post(infer, 'x', { ...user, 'content-encoding': 'br' });
    assert.equal(refusal(packed), '415 content-encoding: must be one of gzip, deflate, or not set');
    assert.equal(at((await get('/v2x')).json, 'message'), 'there is no such path');
  });

  it('gives up at the time that the request sets', async () => {
    const release = http.service.holdSession('topics');
    try {
      const parameters = { timeout: 50_000, cache: 'bypass' };
      const late = await post(infer, { inputs: [tensor(['held'])], parameters });
      assert.equal(refusal(late), '504 the deadline has passed');
    } finally {
      release();
    }
  });

  it('lists, unloads and loads models for operators', async () => {
    const stateOf = async (name: string) => {
      const { json } = await post('/v2/repository/index', {});
      assert.ok(Array.isArray(json));
      return at(json.find((one) => at(one, 'name') === name) ?? null, 'state');
    };
    const path = '/v2/repository/models/softmaxed';
    assert.equal(await stateOf('softmaxed'), 'READY');
    assert.equal((await post(`${path}/unload`, '')).status, 403);
    const unload = { parameters: { unload_dependents: false } };
    assert.deepEqual((await post(`${path}/unload`, unload, operator)).json, {});
    assert.equal(await stateOf('softmaxed'), 'UNAVAILABLE');
    const { json } = await post('/v2/repository/index', { ready: true });
    assert.deepEqual(json, [{ name: 'topics', version: '1', state: 'READY', reason: '' }]);
    assert.deepEqual((await post(`${path}/load`, '', operator)).json, {});
    assert.equal(await stateOf('softmaxed'), 'READY');
    const config = { parameters: { config: '{}', rate: 0.5 } };
    assert.equal(
      refusal(await post(`${path}/load`, config, operator)),
      '400 parameters.rate: must be a string, a whole number or a boolean',
    );
    assert.match(
      refusal(await post(`${path}/load`, { parameters: { config: '{}' } }, operator)),
      /^400 parameters\.config: /,
    );
    assert.match(refusal(await post('/v2/repository/models/topics/unload', '', operator)), /^400 /);
    assert.equal(
      refusal(await post('/v2/repository/models/nope/load', '', operator)),
      '404 there is no model nope',
    );
    assert.equal(
      refusal(await post('/v2/repository/index', { ready: 1 })),
      '400 ready: must be true or false',
    );
  });
});
