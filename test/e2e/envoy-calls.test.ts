import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { EnvoyService } from '../support/envoy-service.js';
import { at, type JsonValue } from '../support/json-value.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';

describe('JSON over HTTP, through Envoy', { skip: await skipWithout('envoy') }, () => {
  let stack: EnvoyService;

  before(async () => {
    stack = await EnvoyService.start(['topics', 'pairs']);
  });

  after(() => stack.stop());

  for (const [path, model] of [
    ['/v1:classify', 'topics'],
    ['/v1/models/topics:classify', 'topics'],
    ['/v1/models/pairs:classify', 'pairs'],
  ] as const) {
    it(`POST ${path} classifies a text, and says what is zero`, async () => {
      const body = { text: 'the coach praised the team', options: { topK: 0 } };
      const { status, headers, json } = await stack.post(path, body);
      assert.equal(status, 200);
      assert.equal(headers.get('content-type'), 'application/json');
      assert.equal(at(json, 'classification', 'model'), model);
      assert.equal(at(json, 'classification', 'truncated'), false);
      const predictions = at(json, 'classification', 'predictions');
      assert.ok(Array.isArray(predictions) && predictions.length > 1);
      assert.ok(predictions.some((prediction) => at(prediction, 'index') === 0));
      assert.equal(headers.get('grpc-status'), null);
    });
  }

  it('POST :batchClassify answers each input in its place', async () => {
    const inputs = [{ text: 'the match' }, { text: ' ' }, { pair: { text: 'a', textPair: 'b' } }];
    for (const path of ['/v1:batchClassify', '/v1/models/topics:batchClassify']) {
      const { status, json } = await stack.post(path, { inputs });
      assert.equal(status, 200);
      assert.equal(at(json, 'results', 0, 'classification', 'predictions', 0, 'label'), 'sports');
      assert.equal(at(json, 'results', 1, 'error', 'code'), 3);
      assert.equal(
        at(json, 'results', 1, 'error', 'details', 1, 'fieldViolations', 0, 'field'),
        'inputs[1].text',
      );
      assert.equal(at(json, 'results', 2, 'classification', 'model'), 'topics');
    }
  });

  it('GET /v1/models lists the models, GET /v1/models/{model} describes one', async () => {
    const list = await stack.get('/v1/models');
    assert.equal(list.status, 200);
    assert.deepEqual(
      [0, 1].map((n) => at(list.json, 'models', n, 'name')),
      ['pairs', 'topics'],
    );
    const one = await stack.get('/v1/models/topics');
    assert.equal(at(one.json, 'model', 'isDefault'), true);
    assert.equal(at(one.json, 'model', 'versions', 0, 'state'), 'MODEL_STATE_SERVING');
  });

  it('GET /v1/models/{model}/statistics tells of all versions, .../versions/{version}/statistics of one', async () => {
    for (const path of ['/v1/models/topics/statistics', '/v1/models/topics/versions/1/statistics']) {
      const { status, json } = await stack.get(path);
      assert.equal(status, 200);
      assert.equal(at(json, 'versions', 0, 'version'), '1');
      assert.match(String(at(json, 'versions', 0, 'answered')), /^\d+$/);
      assert.ok(Date.parse(String(at(json, 'versions', 0, 'since'))) > 0);
    }
    assert.equal((await stack.get('/v1/models/topics/versions/9/statistics')).status, 404);
    assert.equal((await stack.get('/v1/models/topics/versions/01/statistics')).status, 400);
  });

  it('takes snake_case as well, and enums by their name', async () => {
    const options = { top_k: 2, activation: 'ACTIVATION_NONE', cache: 'CACHE_MODE_BYPASS' };
    const { json } = await stack.post('/v1:classify', { text: 'the match', options });
    assert.equal(at(json, 'classification', 'cache'), 'CACHE_OUTCOME_BYPASSED');
    assert.ok(at(json, 'classification', 'predictions', 1) !== null);
  });

  it('a misspelt field is not there, so that a misspelt text is a 400 that names what is missing', async () => {
    const { status, json } = await stack.post('/v1/models/topics:classify', { txet: 'the match' });
    assert.equal(status, 400);
    assert.equal(at(json, 'message'), 'input: text or pair must be set');
    assert.equal(at(json, 'details', 1, 'fieldViolations', 0, 'field'), 'input');
    // And a misspelt option is no option: docs/http.md warns of it.
    const misspelt = await stack.post('/v1:classify', { text: 'the match', options: { topk: 0 } });
    assert.equal(misspelt.status, 200);
    assert.equal(at(misspelt.json, 'classification', 'predictions', 1), null);
  });

  const good = { text: 'the match' };
  const refusals: readonly (readonly [
    what: string,
    path: string,
    body: JsonValue,
    status: number,
    code: number,
  ])[] = [
    ['a method that does not exist', '/v1/models/topics:clasify', good, 404, 5],
    ['a path that does not exist', '/v2:classify', good, 404, 5],
    [
      'the path of a gRPC method without its content type',
      '/verdict.v1.ClassifierService/Classify',
      good,
      404,
      5,
    ],
    ['a query parameter that is no field', '/v1:classify?verbose=1', good, 400, 3],
    [
      'a model in the body that is not the one in the path',
      '/v1/models/topics:classify',
      { ...good, model: 'pairs' },
      400,
      3,
    ],
    ['a body that is no JSON', '/v1:classify', '{"text": "the', 400, 3],
    ['a number where a text belongs', '/v1:classify', { text: 7 }, 400, 3],
    ['an enum value that does not exist', '/v1:classify', { ...good, options: { cache: 'NEVER' } }, 400, 3],
    ['an array where an object belongs', '/v1:classify', [good], 400, 3],
    ['an object where the stream wants an array', '/v1:classifyStream', good, 400, 3],
  ];
  for (const [what, path, body, status, code] of refusals) {
    it(`refuses ${what}`, async () => {
      const answer = await stack.post(path, body);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('content-type'), 'application/json');
      assert.equal(at(answer.json, 'code'), code);
      assert.deepEqual(at(answer.json, 'details'), []);
      assert.notEqual(at(answer.json, 'message'), '');
      assert.match(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
    });
  }

  it('a verb that a path does not have is a path that does not exist', async () => {
    assert.equal((await stack.get('/v1:classify')).status, 404);
    assert.equal((await stack.post('/v1/models', {})).status, 404);
  });

  it('a model that the body names as the path does is no collision', async () => {
    assert.equal((await stack.post('/v1/models/topics:classify', { ...good, model: 'topics' })).status, 200);
  });

  it("keeps the caller's request id from end to end, and writes neither texts nor queries to the log", async () => {
    const id = 'order-42';
    const path = '/v1:classify?options.topK=3';
    const { status, headers } = await stack.post(path, { text: 'a secret text' }, { 'x-request-id': id });
    assert.equal(status, 200);
    assert.equal(headers.get('x-request-id'), id);
    const calls = () => stack.service.server.log.filter((line) => line.request_id === id);
    await until('the server has logged the call', () => calls().length === 1);
    const lines = () => stack.envoy.log.filter((line) => line.request_id === id);
    await until('Envoy has logged the call', () => lines().length === 1);
    assert.equal(lines()[0]?.path, '/v1:classify');
    assert.equal(lines()[0]?.status, 200);
    assert.ok(!JSON.stringify(stack.envoy.log).includes('secret'));
  });

  it('lets pages of this machine call, and of no other', async () => {
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${stack.envoy.url}/v1:classify`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,x-request-id',
        },
      });
    const allowed = await preflight('http://localhost:9464');
    assert.equal(allowed.status, 200);
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'http://localhost:9464');
    assert.match(allowed.headers.get('access-control-allow-headers') ?? '', /content-type.*x-request-id/);
    const answer = await stack.post('/v1:classify', good, { origin: 'http://127.0.0.1:9464' });
    assert.equal(answer.headers.get('access-control-allow-origin'), 'http://127.0.0.1:9464');
    assert.match(answer.headers.get('access-control-expose-headers') ?? '', /retry-after/);
    for (const origin of ['http://localhost.example', 'https://example.org']) {
      assert.equal((await preflight(origin)).headers.get('access-control-allow-origin'), null);
    }
  });
});
