import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Model, VerdictClient } from '../../clients/typescript/src/index.js';
import { PublishedModels } from '../support/published-models.js';
import type { ServerProcess } from '../support/server-process.js';
import { until } from '../support/until.js';

const PATIENCE = 60_000;

const states = ({ versions }: Model) => versions.map(({ version, state }) => `${version} ${state}`);

/** Two servers over one models folder with two versions of `topics`, and so over one state file. */
async function serve(t: TestContext, settings: Readonly<Record<string, string>>) {
  const models = await PublishedModels.create(t);
  for (const version of ['1', '2']) await models.publish(`topics/${version}`, 'topics');
  const servers: ServerProcess[] = [];
  for (let at = 0; at < 2; at++) servers.push(await models.serve(t, 'topics', settings));
  const clients = servers.map(({ address }) => new VerdictClient({ address, retry: false }));
  t.after(() => {
    for (const client of clients) client.close();
  });
  const [one, other] = clients;
  const [first, second] = servers;
  assert.ok(one !== undefined && other !== undefined && first !== undefined && second !== undefined);
  return { models, one, other, first, second };
}

describe('servers that share a state file', () => {
  it('see each other’s changes while they watch, and load nothing for them', async (t) => {
    const { one, other, second } = await serve(t, {
      VERDICT_MODEL_VERSIONS: 'all',
      VERDICT_MODELS_WATCH: 'on',
    });
    await one.setTraffic('topics', [{ version: '1', percent: 100 }]);
    await one.setAlias('topics', 'champion', '1');
    await until(
      'the other one has seen them',
      async () => {
        const { traffic, aliases } = await other.getModel('topics');
        return traffic.length === 1 && aliases.length === 1;
      },
      PATIENCE,
    );
    const { version, alias } = await other.classify('the coach', { version: 'champion' });
    assert.deepEqual([version, alias], ['1', 'champion']);
    assert.equal((await other.classify('the coach')).version, '1');
    const page = await (await fetch(`${second.adminUrl}/metrics`)).text();
    assert.doesNotMatch(page, /^verdict_model_reloads_total\S* [1-9]/m);
  });

  it('load the versions that others have named, while they watch', async (t) => {
    const { models, one, other } = await serve(t, { VERDICT_MODELS_WATCH: 'on' });
    await one.setTraffic('topics', [{ version: '2', percent: 100 }]);
    await models.publish('topics/3', 'topics');
    await until(
      'both have loaded the new one and kept the one that is named',
      async () => {
        const [here, there] = await Promise.all([one.getModel('topics'), other.getModel('topics')]);
        return [here, there].every((model) => states(model).join() === '3 serving,2 serving');
      },
      PATIENCE,
    );
    assert.equal((await other.classify('the coach')).version, '2');
  });

  it('lose no change of theirs that they make at the same time', async (t) => {
    const { one, other } = await serve(t, { VERDICT_MODEL_VERSIONS: 'all' });
    const change = async (client: VerdictClient, name: string) => {
      for (let at = 0; at < 12; at++) await client.setAlias('topics', `${name}${at}`, '1');
    };
    await Promise.all([change(one, 'a'), change(other, 'b')]);
    const { aliases } = await one.setTraffic('topics', [{ version: '1', percent: 100 }]);
    assert.equal(aliases.length, 24);
  });
});
