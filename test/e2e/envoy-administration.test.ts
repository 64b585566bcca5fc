import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { EnvoyService, type HttpAnswer } from '../support/envoy-service.js';
import { at } from '../support/json-value.js';
import { TestKeyFile } from '../support/key-files.js';
import { suiteCleanup } from '../support/suite-cleanup.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { skipWithout } from '../support/tool.js';

const skip = await skipWithout('envoy');
const reasonOf = ({ json }: HttpAnswer) => at(json, 'details', 0, 'reason');

describe('administration through Envoy, of a server without keys', { skip }, () => {
  let stack: EnvoyService;

  before(async () => {
    stack = await EnvoyService.start(['topics']);
  });
  after(() => stack.stop());

  it('is refused, although Envoy calls from loopback', async () => {
    for (const path of ['/v1:forget', '/v1/models/topics:forget']) {
      const answer = await stack.post(path, { text: 'a text' });
      assert.deepEqual([answer.status, reasonOf(answer)], [403, 'ADMINISTRATION_IS_LOCAL'], answer.text);
      assert.match(answer.text, /set VERDICT_API_KEYS_FILE/);
    }
    // What a caller writes itself neither helps nor hides the proxy.
    const forged = await stack.post('/v1:forget', { text: 'a text' }, { 'x-forwarded-for': '127.0.0.1' });
    assert.equal(reasonOf(forged), 'ADMINISTRATION_IS_LOCAL');
    const grpc = new VerdictClient({ address: new URL(stack.envoy.url).host, retry: false });
    await assert.rejects(grpc.forget('a text'), { reason: 'ADMINISTRATION_IS_LOCAL' });
    grpc.close();
    assert.ok(stack.service.server.log.every(({ msg }) => msg !== 'administration'));
  });

  it('is done for those who call the server itself', async () => {
    await stack.post('/v1:classify', { text: 'a text' });
    const { removedFromMemory } = await stack.service.client.forget('a text');
    assert.equal(removedFromMemory, 1);
  });
});

describe('administration through Envoy, of a server with keys', { skip }, () => {
  const cleanup = suiteCleanup();
  let stack: EnvoyService;
  let ops = '';
  let web = '';

  before(async () => {
    const file = new TestKeyFile(temporaryFolder(cleanup));
    ops = file.add('ops', { scopes: ['admin'] });
    web = file.add('web', { scopes: ['classify', 'cache-outcomes'] });
    file.write();
    stack = await EnvoyService.start(['topics', 'pairs'], { VERDICT_API_KEYS_FILE: file.path });
  });
  after(() => stack.stop());

  it('takes a key with the scope', async () => {
    const forget = (key: string, path = '/v1:forget') =>
      stack.post(path, { text: 'the coach' }, { 'x-api-key': key });
    await stack.post('/v1:classify', { text: 'the coach' }, { 'x-api-key': web });
    const refused = await forget(web);
    assert.deepEqual([refused.status, reasonOf(refused)], [403, 'MISSING_SCOPE']);
    const one = await forget(ops, '/v1/models/pairs:forget');
    assert.deepEqual([one.status, at(one.json, 'removedFromMemory')], [200, 0], one.text);
    assert.equal(at(one.json, 'versions', 0, 'model'), 'pairs');
    const all = await forget(ops);
    assert.equal(at(all.json, 'removedFromMemory'), 1);
    assert.equal(at(all.json, 'removedFromRedis'), 0);
    assert.equal(at(all.json, 'othersExpireSeconds'), 0);
    const unknown = await forget(ops, '/v1/models/nosuch:forget');
    assert.deepEqual([unknown.status, reasonOf(unknown)], [404, 'MODEL_NOT_FOUND']);
    const again = await stack.post('/v1:classify', { text: 'the coach' }, { 'x-api-key': web });
    assert.equal(at(again.json, 'classification', 'cache'), 'CACHE_OUTCOME_MISS');
  });
});
