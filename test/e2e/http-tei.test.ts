import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HttpService } from '../support/http-service.js';
import { at, type JsonValue } from '../support/json-value.js';
import { until } from '../support/until.js';

/** The labels of one list of predictions, which must be sorted by falling scores. */
function labelsOf(predictions: JsonValue): JsonValue[] {
  assert.ok(Array.isArray(predictions) && predictions.length > 0);
  const scores = predictions.map((one) => Number(at(one, 'score')));
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  );
  for (const one of predictions) assert.deepEqual(Object.keys(one as object), ['score', 'label']);
  return predictions.map((one) => at(one, 'label'));
}

describe("text-embeddings-inference's routes", () => {
  let http: HttpService;

  before(async () => {
    http = await HttpService.start(['topics']);
  });

  after(() => http.stop());

  it('answer a text, a pair, and a batch of both', async () => {
    const text = await http.post('/predict', { inputs: 'the coach' });
    assert.equal(text.status, 200);
    assert.equal(labelsOf(text.json).length, 4);
    assert.equal(text.headers.get('x-compute-characters'), '9');
    assert.match(text.headers.get('x-compute-tokens') ?? '', /^[1-9]/);
    const alone = await http.post('/predict', { inputs: ['the coach'] });
    assert.deepEqual(alone.json, text.json);
    const pair = await http.post('/predict', { inputs: ['the coach', 'the team'] });
    assert.equal(labelsOf(pair.json).length, 4);
    const batch = await http.post('/predict', { inputs: [['the coach'], ['the coach', 'the team']] });
    assert.deepEqual(batch.json, [text.json, pair.json]);
  });

  it('score each label on its own where the model does, and give raw scores', async () => {
    const { json } = await http.post('/predict', { inputs: 'the coach' });
    const native = await http.post('/v1:classify', { text: 'the coach', options: { topK: 0 } });
    assert.ok(Array.isArray(json));
    for (const [index, one] of json.entries())
      assert.equal(at(one, 'score'), at(native.json, 'classification', 'predictions', index, 'score'));
    const raw = await http.post('/predict', { inputs: 'the coach', raw_scores: true });
    const logit = Number(at(raw.json, 0, 'score'));
    assert.ok(Math.abs(1 / (1 + Math.exp(-logit)) - Number(at(json, 0, 'score'))) < 1e-5);
  });

  it('truncate, from either side, or refuse to', async () => {
    const inputs = 'the coach '.repeat(100);
    assert.equal((await http.post('/predict', { inputs })).status, 200);
    for (const side of ['Left', 'Right'])
      assert.equal(
        (await http.post('/predict', { inputs, truncate: true, truncation_direction: side })).status,
        200,
      );
    const refused = await http.post('/predict', { inputs, truncate: false });
    assert.deepEqual([refused.status, at(refused.json, 'error_type')], [413, 'Validation']);
    assert.match(JSON.stringify(at(refused.json, 'error')), /tokens long/);
  });

  const wrong: readonly (readonly [body: JsonValue, error: RegExp])[] = [
    [{}, /^"inputs: must be set"$/],
    [{ inputs: '' }, /must not be empty/],
    [{ inputs: [] }, /^"inputs: must be a text/],
    [{ inputs: ['a', 'b', 'c'] }, /^"inputs: must be a text/],
    [{ inputs: [['a'], 'b'] }, /^"inputs: must be a text/],
    [{ inputs: [['a'], ['b', 'c', 'd']] }, /^"inputs: must be a text/],
    [{ inputs: 7 }, /^"inputs: must be a text/],
    [{ inputs: Array.from({ length: 33 }, () => ['a']) }, /1 to 32 inputs/],
    [{ inputs: 'a', raw_scores: 'yes' }, /^"raw_scores: must be true or false"$/],
    [{ inputs: 'a', truncation_direction: 'Up' }, /^"truncation_direction: must be Left or Right"$/],
    ['[', /not JSON/],
    ['[]', /must be a JSON object/],
  ];
  for (const [body, error] of wrong) {
    it(`refuse ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const answer = await http.post('/predict', body);
      assert.deepEqual([answer.status, at(answer.json, 'error_type')], [413, 'Validation']);
      assert.match(JSON.stringify(at(answer.json, 'error')), error);
    });
  }

  it('describe the default model, and say whether it serves', async () => {
    const { json } = await http.get('/info');
    assert.equal(at(json, 'model_id'), 'topics');
    assert.equal(at(json, 'model_type', 'classifier', 'id2label', '0'), 'sports');
    assert.equal(at(json, 'model_type', 'classifier', 'label2id', 'food'), 3);
    assert.equal(at(json, 'max_client_batch_size'), 32);
    for (const count of ['max_concurrent_requests', 'max_batch_tokens', 'max_input_length'])
      assert.ok(Number(at(json, count)) > 0, count);
    assert.equal(at(json, 'tokenization_workers'), 0);
    assert.equal((await http.get('/health')).status, 200);
  });

  it('say unhealthy while the model has no session', async () => {
    // The last test of this server: its model does not come back.
    const ready = http.service.server.log.findLast(({ msg }) => msg === 'session ready');
    await http.service.withhold('topics');
    process.kill(Number(ready?.pid), 'SIGKILL');
    await until('it is unhealthy', async () => (await http.get('/health')).status === 503);
    const { status, json } = await http.post('/predict', { inputs: 'a text not seen' });
    assert.deepEqual([status, at(json, 'error_type')], [503, 'Unhealthy']);
  });
});
