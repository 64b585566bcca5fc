import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { EnvoyService } from '../support/envoy-service.js';
import { HttpService } from '../support/http-service.js';
import { at, type JsonValue } from '../support/json-value.js';
import { streamForms, streamMessages } from '../support/stream-body.js';
import { skipWithout } from '../support/tool.js';

/** Both ways to call over HTTP, which have to answer alike. */
const ways = [
  { way: 'through Envoy', open: EnvoyService, skip: await skipWithout('envoy'), noVerb: 404 },
  { way: 'without a proxy', open: HttpService, skip: false, noVerb: 405 },
] as const;

for (const { way, open, skip, noVerb } of ways) {
  describe(`JSON over HTTP, ${way}`, { skip }, () => {
    let http: EnvoyService | HttpService;

    before(async () => {
      http = await open.start(['topics', 'pairs', 'poison']);
    });

    after(() => http.stop());

    for (const [path, model] of [
      ['/v1:classify', 'topics'],
      ['/v1/models/topics:classify', 'topics'],
      ['/v1/models/pairs:classify', 'pairs'],
    ] as const) {
      it(`POST ${path} classifies a text, and says what is zero`, async () => {
        const body = { text: 'the coach praised the team', options: { topK: 0 } };
        const { status, headers, json } = await http.post(path, body);
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
        const { status, json } = await http.post(path, { inputs });
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
      const list = await http.get('/v1/models');
      assert.equal(list.status, 200);
      assert.deepEqual(
        [0, 1, 2].map((n) => at(list.json, 'models', n, 'name')),
        ['pairs', 'poison', 'topics'],
      );
      const one = await http.get('/v1/models/topics');
      assert.equal(at(one.json, 'model', 'isDefault'), true);
      assert.equal(at(one.json, 'model', 'versions', 0, 'state'), 'MODEL_STATE_SERVING');
    });

    it('GET /v1/models/{model}/statistics tells of all versions, .../versions/{version}/statistics of one', async () => {
      for (const path of ['/v1/models/topics/statistics', '/v1/models/topics/versions/1/statistics']) {
        const { status, json } = await http.get(path);
        assert.equal(status, 200);
        assert.equal(at(json, 'versions', 0, 'version'), '1');
        assert.match(JSON.stringify(at(json, 'versions', 0, 'answered')), /^"\d+"$/);
        assert.ok(Date.parse(JSON.parse(JSON.stringify(at(json, 'versions', 0, 'since')))) > 0);
        assert.equal(at(json, 'versions', 0, 'failures', 0), null);
      }
      assert.equal((await http.get('/v1/models/topics/versions/9/statistics')).status, 404);
      assert.equal((await http.get('/v1/models/topics/versions/01/statistics')).status, 400);
    });

    it('takes snake_case as well, and enums by their name', async () => {
      const options = { top_k: 2, activation: 'ACTIVATION_NONE', cache: 'CACHE_MODE_BYPASS' };
      const { json } = await http.post('/v1:classify', { text: 'the match', options });
      assert.equal(at(json, 'classification', 'cache'), 'CACHE_OUTCOME_BYPASSED');
      assert.ok(at(json, 'classification', 'predictions', 1) !== null);
    });

    it('a misspelt field is not there, so that a misspelt text is a 400 that names what is missing', async () => {
      const { status, json } = await http.post('/v1/models/topics:classify', { txet: 'the match' });
      assert.equal(status, 400);
      assert.equal(at(json, 'message'), 'input: text or pair must be set');
      assert.equal(at(json, 'details', 1, 'fieldViolations', 0, 'field'), 'input');
      // And a misspelt option is no option: docs/http.md warns of it.
      const misspelt = await http.post('/v1:classify', { text: 'the match', options: { topk: 0 } });
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
        const answer = await http.post(path, body);
        assert.equal(answer.status, status);
        assert.equal(answer.headers.get('content-type'), 'application/json');
        assert.equal(at(answer.json, 'code'), code);
        assert.ok(Array.isArray(at(answer.json, 'details')));
        assert.notEqual(at(answer.json, 'message'), '');
        assert.match(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
      });
    }

    it('a verb that a path does not have is refused', async () => {
      assert.equal((await http.get('/v1:classify')).status, noVerb);
      assert.equal((await http.post('/v1/models', {})).status, noVerb);
    });

    it('a model that the body names as the path does is no collision', async () => {
      assert.equal((await http.post('/v1/models/topics:classify', { ...good, model: 'topics' })).status, 200);
    });

    it('binds the query to fields', async () => {
      const { status, json } = await http.post('/v1:classify?options.topK=2', good);
      assert.equal(status, 200);
      assert.notEqual(at(json, 'classification', 'predictions', 1), null);
    });

    for (const accept of streamForms) {
      it(`streams as ${accept}, with \`end\` last`, async () => {
        const body = [
          { id: 'a', text: 'the match' },
          { id: 'b', text: ' ' },
        ];
        const { status, headers, text } = await http.post('/v1:classifyStream', body, { accept });
        assert.equal(status, 200);
        assert.equal(headers.get('content-type'), accept);
        const [first = null, second = null, end = null, ...more] = streamMessages(accept, text);
        assert.deepEqual(more, []);
        assert.deepEqual([at(first, 'id'), at(first, 'index')], ['a', 0]);
        assert.equal(at(first, 'classification', 'model'), 'topics');
        assert.deepEqual([at(second, 'id'), at(second, 'error', 'code')], ['b', 3]);
        assert.deepEqual([at(end, 'end', 'classifiedCount'), at(end, 'end', 'failedCount')], [1, 1]);
        assert.deepEqual(at(end, 'end', 'status'), { code: 0, message: '', details: [] });
      });
    }

    it('a stream that is refused before its first answer has its real code', async () => {
      const body = [{ settings: { defaultModel: 'No Name' } }, good];
      const answer = await http.post('/v1:classifyStream', body, { accept: 'application/x-ndjson' });
      assert.deepEqual([answer.status, at(answer.json, 'code')], [400, 3]);
      assert.equal(reasonIn(answer.json), 'INVALID_FIELD');
    });

    it('a failure has its code, its reason and its details', async () => {
      const unknown = await http.post('/v1/models/nope:classify', good);
      assert.deepEqual([unknown.status, at(unknown.json, 'code')], [404, 5]);
      assert.equal(reasonIn(unknown.json), 'MODEL_NOT_FOUND');
      assert.equal(at(unknown.json, 'details', 1, 'resourceName'), 'nope');
      const broken = await http.post(
        '/v1/models/poison:classify',
        { text: 'poison' },
        { 'x-request-id': 'r-1' },
      );
      assert.deepEqual([broken.status, at(broken.json, 'code')], [500, 13]);
      assert.equal(reasonIn(broken.json), 'INFERENCE_FAILED');
      assert.equal(at(broken.json, 'details', 1, 'requestId'), 'r-1');
      const late = await http.post('/v1:classify', { text: 'never seen' }, { 'grpc-timeout': '1n' });
      assert.deepEqual([late.status, reasonIn(late.json)], [504, 'DEADLINE_EXCEEDED']);
      const local = await http.post('/v1:forget', good);
      assert.deepEqual([local.status, reasonIn(local.json)], [403, 'ADMINISTRATION_IS_LOCAL']);
    });

    it('refuses a body of more than 8 MiB with 413', async () => {
      const told = await http.post('/v1:classify', { text: 'x'.repeat(8 * 2 ** 20) });
      assert.deepEqual([told.status, at(told.json, 'code')], [413, 3]);
      assert.equal(at(told.json, 'message'), 'the body has more than 8388608 bytes');
    });
  });
}

/** The reason in the ErrorInfo of a google.rpc.Status. */
function reasonIn(status: JsonValue): JsonValue {
  return at(status, 'details', 0, 'reason');
}
