import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { HttpService } from '../support/http-service.js';
import { at } from '../support/json-value.js';
import { TestKeyFile } from '../support/key-files.js';
import { moderationOfTopics, moderatorFolder } from '../support/moderator.js';
import { suiteCleanup } from '../support/suite-cleanup.js';
import { temporaryFolder } from '../support/temporary-folder.js';

describe("OpenAI's client", () => {
  const cleanup = suiteCleanup();
  let http: HttpService;
  let client: OpenAI;
  let key = '';

  before(async () => {
    const keys = new TestKeyFile(temporaryFolder(cleanup));
    key = keys.add('web', { models: ['topics'] });
    keys.write();
    http = await HttpService.start(['topics'], {
      VERDICT_MODELS_DIR: await moderatorFolder(cleanup, moderationOfTopics),
      VERDICT_API_KEYS_FILE: keys.path,
    });
    client = new OpenAI({ apiKey: key, baseURL: `${http.url}/v1`, maxRetries: 0 });
  });

  after(() => http.stop());

  it('moderates one text and several', async () => {
    const one = await client.moderations.create({ input: 'the coach praised the team' });
    assert.match(one.id, /^modr-/);
    assert.equal(one.model, 'topics:1');
    assert.equal(one.results.length, 1);
    const [result] = one.results;
    assert.equal(result?.flagged, true);
    assert.deepEqual([result?.categories.violence, result?.categories.sexual], [true, false]);
    assert.ok((result?.category_scores.violence ?? 0) >= 0.5);
    assert.equal(result?.category_scores.sexual, 0);
    assert.deepEqual(result?.category_applied_input_types.violence, ['text']);
    assert.deepEqual(result?.category_applied_input_types.sexual, []);
    const input = ['the coach praised the team', 'a bowl of soup'];
    const { results } = await client.moderations.create({ input, model: 'omni-moderation-latest' });
    assert.deepEqual(results[0], result);
    assert.equal(results[1]?.categories.violence, false);
  });

  it('gives a category the highest score of its labels, and flags from the threshold on', async () => {
    const text = 'the coach praised the team';
    const { results } = await client.moderations.create({ input: text, model: 'topics' });
    const native = await http.post(
      '/v1:classify',
      { text, options: { topK: 0 } },
      { authorization: `Bearer ${key}` },
    );
    const scores = new Map<unknown, number>();
    const predictions = at(native.json, 'classification', 'predictions');
    assert.ok(Array.isArray(predictions));
    for (const one of predictions) scores.set(at(one, 'label'), Number(at(one, 'score')));
    const hate = Math.max(scores.get('politics') ?? 0, scores.get('technology') ?? 0);
    assert.equal(results[0]?.category_scores.violence, scores.get('sports'));
    assert.equal(results[0]?.category_scores.hate, hate);
    assert.equal(results[0]?.categories.hate, hate >= 0.9);
    assert.equal(Reflect.get(results[0]?.category_scores ?? {}, 'trivia'), scores.get('food'));
  });

  it('takes parts that are texts, and refuses images', async () => {
    const { results } = await client.moderations.create({ input: [{ type: 'text', text: 'the coach' }] });
    const parts = ['a bowl of soup', 'the coach'].map((text) => ({ type: 'text' as const, text }));
    const together = await client.moderations.create({ input: parts });
    assert.equal(together.results.length, 1, 'the parts are one input');
    assert.equal(together.results[0]?.flagged, true);
    assert.equal(together.results[0]?.category_scores.violence, results[0]?.category_scores.violence);
    assert.equal(results.length, 1);
    await assert.rejects(
      client.moderations.create({
        input: [{ type: 'image_url', image_url: { url: 'https://example.org/a.png' } }],
      }),
      { status: 400, message: /input\[0\]: must be a part of type text: images are not moderated/ },
    );
  });

  it('is told what is wrong in its own classes of errors', async () => {
    await assert.rejects(client.moderations.create({ input: '' }), {
      status: 400,
      message: /^400 input(\[0\])?: must not be empty/,
    });
    await assert.rejects(client.moderations.create({ input: [] }), OpenAI.BadRequestError);
    await assert.rejects(
      client.moderations.create({ input: 'x', model: 'elsewhere' }),
      OpenAI.PermissionDeniedError,
    );
    const stranger = new OpenAI({ apiKey: 'sk-nobody', baseURL: `${http.url}/v1`, maxRetries: 0 });
    await assert.rejects(stranger.moderations.create({ input: 'x' }), OpenAI.AuthenticationError);
  });
});

describe('a model without a section moderation', () => {
  it('moderates nothing, and says what is missing', async (t) => {
    const http = await HttpService.start(['topics']);
    t.after(() => http.stop());
    for (const body of [{ input: 'x' }, { input: 'x', model: 'topics' }]) {
      const { status, json } = await http.post('/v1/moderations', body);
      assert.deepEqual([status, at(json, 'error', 'type')], [400, 'invalid_request_error']);
      assert.match(JSON.stringify(at(json, 'error', 'message')), /^"model: .*verdict\.yaml/);
    }
  });
});
