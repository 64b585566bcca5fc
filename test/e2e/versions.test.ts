import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Model, VerdictClient } from '../../clients/typescript/src/index.js';
import { TestKeyFile } from '../support/key-files.js';
import { PublishedModels } from '../support/published-models.js';
import { runToEnd } from '../support/run-to-end.js';
import type { ServerProcess } from '../support/server-process.js';
import { StartingServer } from '../support/starting-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const KEYS = 10_000;
/** Calls at once. */
const ABREAST = 100;

interface Setting {
  readonly models: PublishedModels;
  readonly server: ServerProcess;
  readonly client: VerdictClient;
}

async function clientOf(t: TestContext, server: ServerProcess, apiKey?: string): Promise<VerdictClient> {
  const client = new VerdictClient({
    address: server.address,
    retry: false,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  t.after(() => client.close());
  return client;
}

/** A server over these versions of `topics`, all of which serve unless a setting says otherwise. */
async function serve(
  t: TestContext,
  versions: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<Setting> {
  const models = await PublishedModels.create(t);
  for (const version of versions) await models.publish(`topics/${version}`, 'topics');
  const server = await models.serve(t, 'topics', { VERDICT_MODEL_VERSIONS: 'all', ...settings });
  return { models, server, client: await clientOf(t, server) };
}

/** Who answers each of the keys, for one text. */
async function placesOf(client: VerdictClient): Promise<string[]> {
  const places = new Array<string>(KEYS);
  let next = 0;
  const work = async () => {
    for (let key = next++; key < KEYS; key = next++)
      places[key] = (await client.classify('the coach', { routingKey: `user-${key}` })).version;
  };
  await Promise.all(Array.from({ length: ABREAST }, work));
  return places;
}

/** What log lines with this message say about models. */
const logged = (server: ServerProcess, message: string) =>
  server.log
    .filter(({ msg }) => msg === message)
    .map(({ model, version, retired }) => ({ model, version, retired }));
const share = (percents: Readonly<Record<string, number>>) =>
  Object.entries(percents).map(([version, percent]) => ({ version, percent }));
const routing = ({ traffic, aliases }: Model) => ({ traffic, aliases });
const states = ({ versions }: Model) => versions.map(({ version, state }) => `${version} ${state}`);

describe('versions of a model at a time', () => {
  it('all answer, by number and by alias, and the reply says which', async (t) => {
    const { client } = await serve(t, ['1', '2', '3']);
    const answer = async (version?: string) => {
      const { version: answered, alias } = await client.classify('the coach', { version });
      return [answered, alias];
    };
    assert.deepEqual(states(await client.getModel('topics')), ['3 serving', '2 serving', '1 serving']);
    assert.deepEqual(
      [await answer(), await answer('1')],
      [
        ['3', ''],
        ['1', ''],
      ],
    );
    const { aliases } = await client.setAlias('topics', 'champion', '2');
    assert.deepEqual(aliases, [{ alias: 'champion', version: '2' }]);
    assert.deepEqual(await answer('champion'), ['2', 'champion']);
    const [inBatch] = await client.classifyBatch(['the coach'], { version: 'champion' });
    assert.ok(inBatch?.ok && inBatch.classification.alias === 'champion');
    for await (const result of client.classifyStream([{ text: 'the coach', version: 'champion' }]))
      assert.ok(
        result.ok && result.classification.version === '2' && result.classification.alias === 'champion',
      );
    await client.setAlias('topics', 'champion', '3');
    assert.deepEqual(await answer('champion'), ['3', 'champion']);
    await client.deleteAlias('topics', 'champion');
    await assert.rejects(answer('champion'), { code: 'NOT_FOUND', reason: 'VERSION_NOT_FOUND' });
    await assert.rejects(client.deleteAlias('topics', 'champion'), { reason: 'ALIAS_NOT_FOUND' });
    await assert.rejects(client.setAlias('topics', '2', '3'), { code: 'INVALID_ARGUMENT' });
  });

  it('divide 10,000 keys 90 to 10 within a point, and a change by five moves five, to what grew, across a restart', async (t) => {
    const { models, server, client } = await serve(t, ['1', '2']);
    await client.setTraffic('topics', share({ 1: 90, 2: 10 }));
    const before = await placesOf(client);
    const second = before.filter((version) => version === '2').length;
    assert.ok(Math.abs(second - KEYS / 10) <= KEYS / 100, `${second}`);
    await client.setTraffic('topics', share({ 1: 85, 2: 15 }));
    assert.equal((await server.stop()).code, 0);

    const again = await clientOf(t, await models.serve(t, 'topics', { VERDICT_MODEL_VERSIONS: 'all' }));
    assert.deepEqual((await again.getModel('topics')).traffic, share({ 1: 85, 2: 15 }));
    const after = await placesOf(again);
    const moved = [...before.keys()].filter((key) => before[key] !== after[key]);
    assert.ok(Math.abs(moved.length - KEYS / 20) <= KEYS / 100, `${moved.length}`);
    for (const key of moved) assert.deepEqual([before[key], after[key]], ['1', '2']);
  });

  it('keep all inputs of a call with a key together, and divide those of one without', async (t) => {
    const { client } = await serve(t, ['1', '2']);
    await client.setTraffic('topics', share({ 1: 50, 2: 50 }));
    const texts = Array.from({ length: 30 }, (_, at) => `text number ${at}`);
    const inBatch = async (routingKey?: string) => {
      const results = await client.classifyBatch(texts, { routingKey });
      return results.map((result) => (result.ok ? result.classification.version : ''));
    };
    const inStream = async (routingKey?: string) => {
      const found: string[] = [];
      for await (const result of client.classifyStream(texts, { routingKey }))
        found.push(result.ok ? result.classification.version : '');
      return found;
    };
    for (const key of ['anna', 'bob', 'carol', 'dora']) {
      const { version } = await client.classify('something else', { routingKey: key });
      const all = new Set([...(await inBatch(key)), ...(await inStream(key))]);
      assert.deepEqual(all, new Set([version]), key);
    }
    const byText = await inBatch();
    assert.deepEqual(new Set(byText), new Set(['1', '2']));
    assert.deepEqual(await inStream(), byText);
  });

  it('are changed by those with the scope, and each change is a line of the audit; keys of callers are in none', async (t) => {
    const file = new TestKeyFile(temporaryFolder(t));
    const ops = file.add('ops', { scopes: ['admin', 'classify'] });
    const web = file.add('web', { scopes: ['classify'] });
    const other = file.add('other', { scopes: ['admin'], models: ['pairs'] });
    file.write();
    const { server } = await serve(t, ['1', '2'], { VERDICT_API_KEYS_FILE: file.path });
    const [asOps, asWeb, asOther] = await Promise.all(
      [ops, web, other].map((key) => clientOf(t, server, key)),
    );
    assert.ok(asOps && asWeb && asOther);
    for (const change of [
      (client: VerdictClient) => client.setTraffic('topics', share({ 1: 100 })),
      (client: VerdictClient) => client.setAlias('topics', 'champion', '1'),
      (client: VerdictClient) => client.deleteAlias('topics', 'champion'),
    ]) {
      await assert.rejects(change(asWeb), { code: 'PERMISSION_DENIED', reason: 'MISSING_SCOPE' });
      await assert.rejects(change(asOther), { code: 'PERMISSION_DENIED', reason: 'MODEL_NOT_PERMITTED' });
      await change(asOps);
    }
    await asWeb.classify('the coach', { routingKey: 'somebodys-name' });
    await assert.rejects(asWeb.classify('the coach', { routingKey: 'somebodys-name?' }), {
      code: 'INVALID_ARGUMENT',
      message: /^verdict-routing-key: must be 1 to 128/,
    });
    await until('the calls are logged', () => server.log.filter(({ msg }) => msg === 'call').length >= 11);
    const acts = server.log.filter(({ msg, code }) => msg === 'administration' && code === 'OK');
    assert.deepEqual(
      acts.map(({ method, identity, arguments: facts }) => [method, identity, facts]),
      [
        ['SetTraffic', 'key:ops', { model: 'topics', traffic: ['1=100'] }],
        ['SetAlias', 'key:ops', { model: 'topics', alias: 'champion', version: '1' }],
        ['DeleteAlias', 'key:ops', { model: 'topics', alias: 'champion' }],
      ],
    );
    const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text();
    assert.doesNotMatch(`${JSON.stringify(server.log)}${metrics}`, /somebodys-name/);
  });

  it('are set from the command line', async (t) => {
    const { server, client } = await serve(t, ['1', '2']);
    const run = (...args: string[]) =>
      runToEnd('dist/src/cli/main.js', ['models', ...args, '--address', server.address]);
    assert.equal((await run('traffic', 'topics', '1=90', '2=10%')).code, 0);
    assert.equal((await run('alias', 'topics', 'champion=1')).code, 0);
    const told = await run('alias', 'topics', 'challenger=2');
    const set = {
      traffic: share({ 1: 90, 2: 10 }),
      aliases: [
        { alias: 'challenger', version: '2' },
        { alias: 'champion', version: '1' },
      ],
    };
    assert.deepEqual(routing(JSON.parse(told.stdout)), set);
    for (const [args, words] of [
      [['traffic', 'topics', '1=90', '2=5'], /100 percent together, is 95/],
      [['traffic', 'topics', '1=90', '7=10'], /version topics\/7 is not loaded/],
      [['traffic', 'topics'], /such as 1=90 2=10, or --latest/],
      [['traffic', 'topics', '1=100', '--latest'], /or --latest/],
      [['traffic', 'topics', '1:100'], /a share is VERSION=PERCENT/],
      [['alias', 'topics'], /or --delete ALIAS/],
      [['alias', 'topics', 'champion'], /ALIAS=VERSION/],
      [['alias', 'topics', 'champion=1', '--delete', 'champion'], /or --delete ALIAS/],
    ] as const) {
      const { code, stderr } = await run(...args);
      assert.notEqual(code, 0);
      assert.match(stderr, words);
    }
    assert.deepEqual(routing(await client.getModel('topics')), set, 'what is refused changes nothing');
    assert.equal((await run('traffic', 'topics', '--latest')).code, 0);
    assert.equal((await run('alias', 'topics', '--delete', 'champion')).code, 0);
    assert.deepEqual(routing(await client.getModel('topics')), {
      traffic: [],
      aliases: set.aliases.slice(0, 1),
    });
  });
});

describe('a reload beside a division of the requests', () => {
  it('gives a new version nothing, keeps what is named, and unloads what is named no more', async (t) => {
    const { models, server, client } = await serve(t, ['1'], { VERDICT_MODEL_VERSIONS: 'latest' });
    await client.setTraffic('topics', share({ 1: 100 }));
    await models.publish('topics/2', 'topics');
    await client.reloadModels();
    assert.deepEqual(states(await client.getModel('topics')), ['2 serving', '1 serving']);
    assert.equal((await client.classify('the coach')).version, '1');
    assert.equal((await client.classify('the coach', { version: '2' })).version, '2');
    await client.setTraffic('topics', share({ 1: 50, 2: 50 }));

    await models.withdraw('topics/2');
    await models.publish('topics/3', 'topics');
    await client.reloadModels();
    assert.deepEqual(states(await client.getModel('topics')), ['3 serving', '1 serving']);
    const page = await fetch(`${server.adminUrl}/readyz`);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /topics\/2 is not there, and the state file names it/);
    await until('it is logged', () =>
      server.log.some(({ msg }) => msg === 'a part of the state has no effect'),
    );
    assert.deepEqual((await client.getModel('topics')).traffic, share({ 1: 50, 2: 50 }), 'it is kept');
    const answered = await client.classifyBatch(Array.from({ length: 20 }, (_, at) => `text ${at}`));
    assert.ok(answered.every((result) => result.ok && result.classification.version === '1'));

    await client.setTraffic('topics', []);
    const [reload] = await client.reloadModels();
    assert.deepEqual([reload?.outcome, reload?.version, reload?.retiredVersions], ['retired', '3', ['1']]);
    assert.equal(await server.metric('verdict_model_reloads_total', { outcome: 'retired' }), 1);
    await until('it is logged', () => logged(server, 'versions of a model retired').length > 0);
    assert.deepEqual(logged(server, 'versions of a model retired'), [
      { model: 'topics', version: '3', retired: ['1'] },
    ]);
    assert.deepEqual(states(await client.getModel('topics')), ['3 serving']);
  });

  it('loads what a list names, and says which of it is not there', async (t) => {
    const { client } = await serve(t, ['1', '2', '3'], { VERDICT_MODEL_VERSIONS: 'topics=1,2,7' });
    assert.deepEqual(states(await client.getModel('topics')), ['7 failed', '2 serving', '1 serving']);
    assert.equal((await client.classify('the coach')).version, '2');
    await assert.rejects(client.classify('the coach', { version: '7' }), { reason: 'MODEL_NOT_LOADED' });
  });
});

describe('the state of a server', () => {
  it('that is killed in the middle of changes starts, and holds all that was confirmed', async (t) => {
    const models = await PublishedModels.create(t);
    for (const version of ['1', '2']) await models.publish(`topics/${version}`, 'topics');
    for (let round = 0; round < 3; round++) {
      const server = await models.serve(t, 'topics', { VERDICT_MODEL_VERSIONS: 'all' });
      const client = await clientOf(t, server);
      const path = join(models.path, '.state.json');
      if (round > 0) assert.equal((await client.getModel('topics')).traffic.length, 2);
      const confirmed: number[] = [];
      const changing = (async () => {
        for (let percent = 1; ; percent = (percent % 99) + 1) {
          await client.setTraffic('topics', share({ 1: percent, 2: 100 - percent }));
          confirmed.push(percent);
        }
      })().catch(() => {});
      await until('changes are under way', () => confirmed.length > 20 * (round + 1));
      server.kill('SIGKILL');
      await Promise.all([server.exit, changing]);
      const { models: kept } = JSON.parse(readFileSync(path, 'utf8'));
      const [{ percent }] = kept.topics.traffic;
      const last = confirmed.at(-1) ?? 0;
      assert.ok(percent === last || percent === (last % 99) + 1, `confirmed ${last}, kept ${percent}`);
    }
    const again = await clientOf(t, await models.serve(t, 'topics', { VERDICT_MODEL_VERSIONS: 'all' }));
    assert.equal((await again.classify('the coach')).label, 'sports');
  });

  it('that makes no sense ends the start, with a sentence', async (t) => {
    const models = await PublishedModels.create(t);
    await models.publish('topics/1', 'topics');
    const path = join(temporaryFolder(t), 'state.json');
    writeFileSync(path, '{"format": 1, "mod');
    const server = new StartingServer({
      VERDICT_MODELS_DIR: models.path,
      VERDICT_DEFAULT_MODEL: 'topics',
      VERDICT_MODELS_STATE_FILE: path,
    });
    assert.deepEqual(await server.exit, { code: 1, signal: null });
    assert.ok(
      server.output.includes(`(VERDICT_MODELS_STATE_FILE): ${path} is not valid JSON. Mend it`),
      server.output,
    );
  });

  it('that cannot be kept changes nothing, and the log says why', async (t) => {
    const path = join(temporaryFolder(t), 'none/state.json');
    const { server, client } = await serve(t, ['1', '2'], { VERDICT_MODELS_STATE_FILE: path });
    await assert.rejects(client.setTraffic('topics', share({ 1: 100 })), {
      code: 'UNAVAILABLE',
      reason: 'STATE_NOT_KEPT',
    });
    assert.equal((await client.classify('the coach')).version, '2');
    await until('it is logged', () =>
      server.log.some(
        ({ msg, reason }) => msg === 'the state file cannot be used' && String(reason).startsWith(path),
      ),
    );
  });
});
