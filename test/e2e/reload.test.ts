import assert from 'node:assert/strict';
import { readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type ModelReload, VerdictClient } from '../../clients/typescript/src/index.js';
import { childProcesses, commandOf, isAlive } from '../support/child-processes.js';
import { freePort } from '../support/free-port.js';
import { TestKeyFile } from '../support/key-files.js';
import { PublishedModels } from '../support/published-models.js';
import { runToEnd } from '../support/run-to-end.js';
import type { ServerProcess } from '../support/server-process.js';
import { StartingServer } from '../support/starting-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const PATIENCE = 60_000;

interface Setting {
  readonly models: PublishedModels;
  readonly server: ServerProcess;
  readonly client: VerdictClient;
}

/** A server over `topics/1` and whatever else is published before it starts. */
async function serve(
  t: TestContext,
  {
    settings = {},
    others = {},
  }: { settings?: Record<string, string>; others?: Readonly<Record<string, string>> } = {},
): Promise<Setting> {
  const models = await PublishedModels.create(t);
  await models.publish('topics/1', 'topics');
  for (const [as, fixture] of Object.entries(others)) await models.publish(as, fixture);
  const server = await models.serve(t, 'topics', settings);
  const client = new VerdictClient({ address: server.address, retry: false });
  t.after(() => client.close());
  return { models, server, client };
}

/** How often all models have been looked at. */
const rounds = async (server: ServerProcess): Promise<number> =>
  server.metric('verdict_model_reloads_total', { outcome: 'unchanged' }).then(async (unchanged) => {
    const others = await Promise.all(
      ['loaded', 'removed', 'failed', 'retired'].map((outcome) =>
        server.metric('verdict_model_reloads_total', { outcome }),
      ),
    );
    return others.reduce((sum, count) => sum + count, unchanged);
  });

/** Has the folder read again, and waits for the end of it. */
async function reload(server: ServerProcess, models = 1): Promise<void> {
  const before = await rounds(server);
  server.kill('SIGHUP');
  await until('the models are reloaded', async () => (await rounds(server)) === before + models, PATIENCE);
}

const logged = (server: ServerProcess, message: string) => server.log.filter(({ msg }) => msg === message);

/** Versions of a model as state by number. */
async function states(client: VerdictClient, model: string): Promise<Record<string, string>> {
  const { versions } = await client.getModel(model);
  return Object.fromEntries(versions.map(({ version, state }) => [version, state]));
}

/** What readiness says: whether, and why not, or what is wrong all the same. */
async function readiness(server: ServerProcess): Promise<{ status: number; text: string }> {
  const page = await fetch(`${server.adminUrl}/readyz`);
  return { status: page.status, text: await page.text() };
}

/** Exchanges two words of the vocabulary, so that each is answered as the other was. */
async function exchangeWords(folder: string, one: string, other: string): Promise<void> {
  const path = join(folder, 'tokenizer.json');
  const json = await readFile(path, 'utf8');
  const exchanged = json
    .replace(`"${one}":`, '"\u0000":')
    .replace(`"${other}":`, `"${one}":`)
    .replace('"\u0000":', `"${other}":`);
  assert.notEqual(exchanged, json);
  await writeFile(path, exchanged);
  // Its known answers are those of the words as they were.
  await rm(join(folder, 'golden.json'));
}

describe('a new version in the models folder', () => {
  it('takes over on SIGHUP, and gives back the sessions of the former one', async (t) => {
    const { models, server, client } = await serve(t);
    assert.equal((await client.classify('the coach')).version, '1');
    await models.publish('topics/2', 'topics', (folder) => exchangeWords(folder, 'soup', 'coach'));
    await reload(server);
    const { label, version } = await client.classify('the coach');
    assert.deepEqual([label, version], ['food', '2']);
    assert.deepEqual(await states(client, 'topics'), { 2: 'serving' });
    assert.equal(childProcesses(server.pid).length, 1);
    await assert.rejects(client.classify('the coach', { version: '1' }), { reason: 'VERSION_NOT_FOUND' });
    await until('the reload is logged', () => logged(server, 'model reloaded').length === 1);
    const { model, version: loaded, compared, flipped } = logged(server, 'model reloaded')[0] ?? {};
    assert.deepEqual([model, loaded], ['topics', '2']);
    assert.ok(Number(compared) > 0 && Number(flipped) > 0 && Number(flipped) < Number(compared));
    assert.equal(await server.metric('verdict_model_state', { version: '1' }), 0);
    assert.equal(await server.metric('verdict_model_state', { version: '2', state: 'serving' }), 1);
    assert.ok((await server.metric('verdict_model_reload_last_success_timestamp_seconds')) > 0);
  });

  it('that is broken is kept away, and said so everywhere, until it is gone or mended', async (t) => {
    const { models, server, client } = await serve(t);
    await models.publish('topics/2', 'broken');
    await reload(server);
    assert.equal((await client.classify('the coach')).version, '1');
    const { versions, servingVersion } = await client.getModel('topics');
    assert.deepEqual(
      versions.map(({ version, state }) => [version, state]),
      [
        ['2', 'failed'],
        ['1', 'serving'],
      ],
    );
    assert.equal(servingVersion, '1');
    assert.match(versions[0]?.stateReason ?? '', /^topics\/2\/golden\.json: .*known answers/);
    const { status, text } = await readiness(server);
    assert.equal(status, 200);
    assert.match(text, /topics\/2 could not be loaded: topics\/2\/golden\.json/);
    assert.equal(await client.health('models/topics'), 'serving');
    assert.equal(await server.metric('verdict_models_outdated'), 1);
    assert.equal(await server.metric('verdict_model_reloads_total', { outcome: 'failed' }), 1);
    assert.equal(childProcesses(server.pid).length, 1);
    await until('the failure is logged', () => {
      const [line] = logged(server, 'model could not be reloaded: it stays as it was');
      return line?.model === 'topics' && line.serving === '1';
    });

    await models.withdraw('topics/2');
    await reload(server);
    assert.deepEqual(await states(client, 'topics'), { 1: 'serving' });
    assert.equal(await server.metric('verdict_models_outdated'), 0);
    assert.equal(await server.metric('verdict_model_state', { version: '2' }), 0);
    assert.doesNotMatch((await readiness(server)).text, /topics\/2/);

    await models.publish('topics/2', 'topics');
    await reload(server);
    assert.deepEqual(await states(client, 'topics'), { 2: 'serving' });
  });

  it('with the number of the one that serves takes over all the same, unless it is broken', async (t) => {
    const { models, server, client } = await serve(t);
    const [before] = (await client.getModel('topics')).versions;
    await models.publish('topics/1', 'broken');
    await reload(server);
    const [kept, ...others] = (await client.getModel('topics')).versions;
    assert.deepEqual([kept?.state, kept?.digest, others], ['serving', before?.digest, []]);
    assert.match(kept?.stateReason ?? '', /^its files have changed and could not be loaded: topics\/1\//);
    assert.equal((await client.classify('the coach')).label, 'sports');

    await models.publish('topics/1', 'topics', (folder) => exchangeWords(folder, 'soup', 'coach'));
    await reload(server);
    const [after, ...more] = (await client.getModel('topics')).versions;
    assert.notEqual(after?.digest, before?.digest);
    assert.deepEqual([after?.state, after?.stateReason, more], ['serving', '', []]);
    assert.equal((await client.classify('the coach')).label, 'food');
    assert.equal(await server.metric('verdict_instances_ready', { model: 'topics', version: '1' }), 1);
    assert.equal(await server.metric('inference_requests_total', { model: 'topics', version: '1' }), 2);
  });

  it('with the same content is answered from the cache: the digest is the same', async (t) => {
    const { models, server, client } = await serve(t);
    const first = await client.classify('the coach');
    assert.equal(first.cache, 'miss');
    await models.publish('topics/2', 'topics');
    await reload(server);
    const second = await client.classify('the coach');
    assert.deepEqual([second.version, second.cache], ['2', 'lru']);
    assert.deepEqual(second.predictions, first.predictions);
  });

  it('is not loaded where nothing has changed', async (t) => {
    const { server } = await serve(t, { others: { 'pairs/1': 'pairs' } });
    const sessions = childProcesses(server.pid);
    await reload(server, 2);
    assert.deepEqual(childProcesses(server.pid), sessions);
    assert.equal(await server.metric('verdict_model_reloads_total', { outcome: 'unchanged' }), 2);
  });

  it('is found while a setting has the folder watched, once it looks the same twice', async (t) => {
    const { models, server, client } = await serve(t, { settings: { VERDICT_MODELS_WATCH: 'on' } });
    await models.publish('topics/2', 'topics');
    await until('it serves', async () => (await client.classify('the coach')).version === '2', PATIENCE);
    await utimes(join(models.folder('topics', '2'), 'config.json'), new Date(), new Date());
    await until('it is loaded again', () => logged(server, 'model reloaded').length === 2, PATIENCE);
    await models.publish('topics/3', 'broken');
    await until(
      'the broken one is told',
      async () => (await server.metric('verdict_models_outdated')) === 1,
      PATIENCE,
    );
    assert.equal((await client.classify('the coach')).version, '2');
  });
});

describe('a model in the models folder', () => {
  it('that is new is served, and one that is gone is no more, unless it is the default one', async (t) => {
    const { models, server, client } = await serve(t, { others: { 'pairs/1': 'pairs' } });
    await models.publish('poison/1', 'poison');
    await models.withdraw('pairs');
    await reload(server, 3);
    assert.deepEqual(
      (await client.listModels()).map(({ name }) => name),
      ['poison', 'topics'],
    );
    await assert.rejects(client.classify('a text', { model: 'pairs' }), { reason: 'MODEL_NOT_FOUND' });
    assert.equal((await client.classify('a text', { model: 'poison' })).model, 'poison');
    assert.equal(childProcesses(server.pid).length, 2);
    assert.equal(await server.metric('verdict_model_state', { model: 'pairs' }), 0);

    await models.withdraw('topics');
    await reload(server, 2);
    assert.equal((await client.classify('the coach')).label, 'sports');
    const { status, text } = await readiness(server);
    assert.equal(status, 200);
    assert.match(text, /topics could not be loaded: its folder is gone/);
  });

  it('stays where the whole folder cannot be read', async (t) => {
    const { models, server, client } = await serve(t);
    await models.withdraw('topics');
    server.kill('SIGHUP');
    await until(
      'it is told',
      () => logged(server, 'the models folder cannot be read: everything stays as it was').length === 1,
    );
    assert.equal((await client.classify('the coach')).label, 'sports');
    assert.equal(await server.metric('verdict_models_folder_unreadable_total'), 1);
  });
});

describe('a signal to reload that comes while the server starts', () => {
  it('is remembered until the start is over', async (t) => {
    const models = await PublishedModels.create(t);
    await models.publish('topics/1', 'topics');
    const adminPort = await freePort();
    const server = new StartingServer({
      VERDICT_MODELS_DIR: models.path,
      VERDICT_DEFAULT_MODEL: 'topics',
      VERDICT_ADMIN_PORT: `${adminPort}`,
    });
    t.after(async () => {
      server.kill('SIGKILL');
      await server.exit;
    });
    await until('a model is being loaded', () => childProcesses(server.pid).length > 0);
    server.kill('SIGHUP');
    const unchanged = 'verdict_model_reloads_total{outcome="unchanged"} 1';
    await until(
      'the models are looked at again',
      async () => (await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()).includes(unchanged),
      PATIENCE,
    );
  });
});

/** Waits until a version is being loaded, and has its session hang. @returns the processes of the server */
async function hangInReload({ models, server }: Setting): Promise<number[]> {
  const [serving] = childProcesses(server.pid);
  await models.publish('topics/2', 'topics');
  server.kill('SIGHUP');
  let loading: number | undefined;
  await until('a session is being opened', () => {
    loading = childProcesses(server.pid).find((pid) => pid !== serving);
    // A process that is stopped before it runs a program of its own holds up the server, which waits for that.
    const command = loading === undefined ? '' : commandOf(loading);
    return command !== '' && command !== commandOf(server.pid);
  });
  process.kill(loading ?? 0, 'SIGSTOP');
  return childProcesses(server.pid);
}

describe('the end of the server in the middle of a reload', () => {
  it('by SIGTERM is clean', async (t) => {
    const setting = await serve(t);
    const processes = await hangInReload(setting);
    assert.equal((await setting.client.classify('the coach')).version, '1');
    assert.deepEqual(await setting.server.stop(), { code: 0, signal: null });
    await until('no session process is left', () => !processes.some(isAlive));
  });

  it('by SIGKILL leaves a folder that the next server starts with', async (t) => {
    const setting = await serve(t);
    const processes = await hangInReload(setting);
    setting.server.kill('SIGKILL');
    await setting.server.exit;
    // A stopped process does not notice that the server is gone.
    for (const pid of processes) if (isAlive(pid)) process.kill(pid, 'SIGCONT');
    await until('no session process is left', () => !processes.some(isAlive));
    const next = await setting.models.serve(t, 'topics');
    const client = new VerdictClient({ address: next.address, retry: false });
    t.after(() => client.close());
    assert.equal((await client.classify('the coach')).version, '2');
  });
});

describe('ModelService.ReloadModels', () => {
  const shapes = (reloads: readonly ModelReload[]) =>
    reloads.map(({ model, outcome, version }) => `${model} ${outcome} ${version}`.trim());

  it('says what became of each model, or of those that are named', async (t) => {
    const { models, client } = await serve(t, { others: { 'pairs/1': 'pairs' } });
    assert.deepEqual(shapes(await client.reloadModels()), ['pairs unchanged 1', 'topics unchanged 1']);
    await models.publish('topics/2', 'topics');
    await models.publish('pairs/2', 'broken');
    const [reload, ...others] = await client.reloadModels(['topics']);
    assert.deepEqual([shapes(reload === undefined ? [] : [reload]), others], [['topics loaded 2'], []]);
    assert.deepEqual(reload?.retiredVersions, ['1']);
    assert.equal(reload?.labelFlips?.flipped, 0);
    assert.ok((reload?.labelFlips?.compared ?? 0) > 0);
    assert.equal((await client.getModel('pairs')).versions.length, 1, 'nobody has asked for it');

    const [failed, unchanged] = await client.reloadModels();
    assert.deepEqual(shapes([failed, unchanged].filter((one) => one !== undefined)), [
      'pairs failed 1',
      'topics unchanged 2',
    ]);
    assert.match(failed?.reason ?? '', /^pairs\/2\/golden\.json: /);
    await models.withdraw('pairs');
    assert.deepEqual(shapes(await client.reloadModels(['pairs'])), ['pairs removed']);
    await assert.rejects(client.reloadModels(['pairs']), { code: 'NOT_FOUND', reason: 'MODEL_NOT_FOUND' });
    await assert.rejects(client.reloadModels(['Not A Name']), { code: 'INVALID_ARGUMENT' });
    // Both shorter and longer than what is counted before it is decoded.
    for (const tail of ['', '-with-a-longer-name']) {
      const names = Array.from({ length: 65 }, (_, index) => `m${index}${tail}`);
      await assert.rejects(client.reloadModels(names), { code: 'INVALID_ARGUMENT' });
      await assert.rejects(client.reloadModels(names.slice(1)), { code: 'NOT_FOUND' });
    }
  });

  it('goes on where the caller has left', async (t) => {
    const { models, server, client } = await serve(t);
    await models.publish('topics/2', 'topics');
    const caller = new AbortController();
    const left = assert.rejects(client.reloadModels([], { signal: caller.signal }), { code: 'CANCELLED' });
    const begun = { grpc_method: 'ReloadModels' };
    await until(
      'the call is there',
      async () => (await server.metric('grpc_server_started_total', begun)) === 1,
      PATIENCE,
    );
    caller.abort();
    await left;
    await until('the model is reloaded', () => logged(server, 'model reloaded').length === 1, PATIENCE);
    assert.equal((await client.classify('the coach')).version, '2');
  });

  it('is for keys with the scope admin, and for their models', async (t) => {
    const keys = new TestKeyFile(temporaryFolder(t));
    const plain = keys.add('plain');
    const admin = keys.add('admin', { scopes: ['classify', 'admin'] });
    const partial = keys.add('partial', { scopes: ['admin'], models: ['pairs'] });
    keys.write();
    const { server } = await serve(t, {
      others: { 'pairs/1': 'pairs' },
      settings: { VERDICT_API_KEYS_FILE: keys.path },
    });
    const ask = async (apiKey: string, names: readonly string[]) => {
      const client = new VerdictClient({ address: server.address, apiKey, retry: false });
      t.after(() => client.close());
      return shapes(await client.reloadModels(names));
    };
    await assert.rejects(ask(plain, []), { code: 'PERMISSION_DENIED', reason: 'MISSING_SCOPE' });
    assert.deepEqual(await ask(admin, []), ['pairs unchanged 1', 'topics unchanged 1']);
    assert.deepEqual(await ask(partial, ['pairs']), ['pairs unchanged 1']);
    for (const names of [[], ['topics'], ['nosuch']]) {
      await assert.rejects(ask(partial, names), { reason: 'MODEL_NOT_PERMITTED' });
    }
    const acts = () =>
      logged(server, 'administration').map(({ method, identity, code, arguments: asked }) => [
        ...[method, identity, code],
        JSON.stringify(asked),
      ]);
    await until('all acts are audited', () => acts().length === 5);
    assert.deepEqual(acts().slice(0, 2), [
      ['ReloadModels', 'key:admin', 'OK', '{"models":[]}'],
      ['ReloadModels', 'key:partial', 'OK', '{"models":["pairs"]}'],
    ]);
  });

  it('is what verdict models reload calls', async (t) => {
    const { models, server } = await serve(t);
    await models.publish('topics/2', 'broken');
    const run = (...args: string[]) =>
      runToEnd('dist/src/cli/main.js', ['models', 'reload', ...args, '--address', server.address]);
    const failed = await run();
    assert.equal(failed.code, 1, failed.stderr);
    const { model, outcome, version } = JSON.parse(failed.stdout) as ModelReload;
    assert.deepEqual([model, outcome, version], ['topics', 'failed', '1']);
    await models.publish('topics/2', 'topics');
    const loaded = await run('topics');
    assert.equal(loaded.code, 0, loaded.stderr);
    assert.equal((JSON.parse(loaded.stdout) as ModelReload).outcome, 'loaded');
  });
});
