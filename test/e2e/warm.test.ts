import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { TestKeyFile } from '../support/key-files.js';
import { PublishedModels } from '../support/published-models.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { clientOf, freshTexts, likeFood } from '../support/two-versions.js';
import { until } from '../support/until.js';

const settings = { VERDICT_WARM_TEXTS: '100', VERDICT_PRECISION: 'fp32' };

describe('a version that takes over warm', () => {
  it('has been asked the latest texts: they are cached, and those that flip are counted', async (t) => {
    const models = await PublishedModels.create(t);
    await models.publish('topics/1', 'topics');
    const server = await models.serve(t, 'topics', settings);
    const client = clientOf(t, server);
    const texts = freshTexts(12);
    for (const text of texts) await client.classify(text);
    await client.classify('never to be kept', { cache: 'bypass' });
    await client.classify('to be forgotten');
    await client.forget('to be forgotten');
    await models.publish('topics/2', 'topics', (folder) => likeFood(folder, 8));
    const [reload] = await client.reloadModels(['topics']);
    const { flipped = 0, ...counts } = reload?.warmUp ?? {};
    assert.deepEqual([reload?.version, counts], ['2', { texts: 12, failed: 0, compared: 12 }]);
    assert.ok(flipped > 0 && flipped <= 12);
    const outcome = async (text: string) => {
      const { version, cache } = await client.classify(text);
      return [version, cache];
    };
    for (const text of texts) assert.deepEqual(await outcome(text), ['2', 'lru']);
    for (const text of ['never to be kept', 'to be forgotten'])
      assert.deepEqual(await outcome(text), ['2', 'miss']);
    assert.equal(await server.metric('verdict_warm_texts_total', { outcome: 'flipped' }), flipped);
    const line = () => server.log.find(({ msg }) => msg === 'model reloaded');
    await until('it is logged', () => line() !== undefined);
    assert.deepEqual(line()?.warmUp, { texts: 12, failed: 0, compared: 12, flipped });
    const written = readdirSync(models.path, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('state.json'))
      .map((path) => readFileSync(join(models.path, path), 'utf8'));
    assert.doesNotMatch(JSON.stringify([server.log, written]), /the team|the coach|forgotten/);
  });

  it('has been asked nothing of callers with a cache of their own, or none', async (t) => {
    const models = await PublishedModels.create(t);
    await models.publish('topics/1', 'topics');
    const file = new TestKeyFile(temporaryFolder(t));
    const scopes = ['classify', 'admin'];
    const keys = {
      shared: file.add('web', { scopes }),
      own: file.add('clinic', { scopes, cache: 'own' }),
      off: file.add('court', { scopes, cache: 'off' }),
    };
    file.write();
    const server = await models.serve(t, 'topics', { ...settings, VERDICT_API_KEYS_FILE: file.path });
    const as = (apiKey: string) => {
      const client = new VerdictClient({ address: server.address, retry: false, apiKey });
      t.after(() => client.close());
      return client;
    };
    for (const key of [keys.own, keys.off]) await as(key).classify('what nobody may know');
    await models.publish('topics/2', 'topics');
    const [none] = await as(keys.shared).reloadModels(['topics']);
    assert.deepEqual([none?.version, none?.warmUp], ['2', undefined]);
    await as(keys.shared).classify('what everybody may know');
    await models.publish('topics/3', 'topics');
    const [one] = await as(keys.shared).reloadModels(['topics']);
    assert.deepEqual(one?.warmUp, { texts: 1, failed: 0, compared: 1, flipped: 0 });
  });
});
