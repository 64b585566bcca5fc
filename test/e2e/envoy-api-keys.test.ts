import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { EnvoyService, type HttpAnswer } from '../support/envoy-service.js';
import { at } from '../support/json-value.js';
import { TestKeyFile } from '../support/key-files.js';
import { suiteCleanup } from '../support/suite-cleanup.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { skipWithout } from '../support/tool.js';

const skip = await skipWithout('envoy');

describe('API keys, as HTTP callers send them', { skip }, () => {
  const cleanup = suiteCleanup();
  let stack: EnvoyService;
  let key = '';
  let reader = '';

  before(async () => {
    const file = new TestKeyFile(temporaryFolder(cleanup));
    key = file.add('web', { scopes: ['classify', 'cache-outcomes'], models: ['topics'] });
    reader = file.add('reader', { scopes: ['metrics'] });
    file.write();
    stack = await EnvoyService.start(['topics', 'poison'], { VERDICT_API_KEYS_FILE: file.path });
  });

  after(() => stack.stop());

  const classify = (headers: Record<string, string>, path = '/v1:classify') =>
    stack.post(path, { text: 'the coach' }, headers);
  const reasonOf = ({ json }: HttpAnswer) => at(json, 'details', 0, 'reason');

  it('pass in either header', async () => {
    for (const headers of [{ authorization: `Bearer ${key}` }, { 'x-api-key': key }]) {
      const answer = await classify(headers);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(at(answer.json, 'classification', 'predictions', 0, 'label'), 'sports');
    }
  });

  it('are asked for with 401 and a challenge', async () => {
    for (const headers of [{}, { authorization: 'Bearer nonsense' }]) {
      const answer = await classify(headers);
      assert.equal(answer.status, 401, answer.text);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
      assert.equal(at(answer.json, 'code'), 16);
      const expected = 'authorization' in headers ? 'INVALID_CREDENTIALS' : 'MISSING_CREDENTIALS';
      assert.equal(reasonOf(answer), expected);
    }
  });

  it('get 403 for what they are not good for', async () => {
    const scope = await classify({ 'x-api-key': reader });
    assert.deepEqual([scope.status, reasonOf(scope)], [403, 'MISSING_SCOPE']);
    assert.equal(at(scope.json, 'message'), 'the scope classify is missing');
    for (const model of ['poison', 'nosuch']) {
      const answer = await classify({ 'x-api-key': key }, `/v1/models/${model}:classify`);
      assert.deepEqual([answer.status, reasonOf(answer)], [403, 'MODEL_NOT_PERMITTED']);
    }
  });

  it('list the models that they may use', async () => {
    const { json } = await stack.get('/v1/models', { 'x-api-key': key });
    const models = at(json, 'models');
    assert.ok(Array.isArray(models));
    assert.deepEqual(
      models.map((model) => at(model, 'name')),
      ['topics'],
    );
  });
});
