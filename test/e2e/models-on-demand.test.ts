import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Model, VerdictClient, type VerdictClientError } from '../../clients/typescript/src/index.js';
import { childProcesses, isAlive } from '../support/child-processes.js';
import { TestKeyFile } from '../support/key-files.js';
import { PublishedModels } from '../support/published-models.js';
import { runToEnd } from '../support/run-to-end.js';
import type { ServerProcess } from '../support/server-process.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const PATIENCE = 60_000;
const MODELS = ['m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9'];
const CACHE_SIZE = 3;

/** Makes the labels of a copy its own, so that an answer shows who gave it. */
async function ownLabels(folder: string, model: string): Promise<void> {
  for (const name of ['config.json', 'golden.json']) {
    const path = join(folder, name);
    const json = await readFile(path, 'utf8');
    await writeFile(path, json.replaceAll(/"(sports|politics|technology|food)"/g, `"$1 of ${model}"`));
  }
}

async function publish(t: TestContext, names: readonly string[]): Promise<PublishedModels> {
  const models = await PublishedModels.create(t);
  for (const name of names) await models.publish(`${name}/1`, 'topics', (folder) => ownLabels(folder, name));
  return models;
}

function clientOf(t: TestContext, server: ServerProcess, apiKey?: string): VerdictClient {
  const client = new VerdictClient({
    address: server.address,
    retry: false,
    ...(apiKey !== undefined && { apiKey }),
  });
  t.after(() => client.close());
  return client;
}

interface Setting {
  readonly models: PublishedModels;
  readonly server: ServerProcess;
  readonly client: VerdictClient;
}

async function serve(
  t: TestContext,
  names: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<Setting> {
  const models = await publish(t, names);
  const server = await models.serve(t, names[0] ?? '', settings);
  return { models, server, client: clientOf(t, server) };
}

const stateOf = async (client: VerdictClient, model: string) =>
  (await client.getModel(model)).versions.map(({ version, state }) => `${version} ${state}`).join();

/** The most models that were loaded, and the most session processes that there were, at any look until the work is done. */
async function mostWhile(
  server: ServerProcess,
  work: Promise<unknown>,
): Promise<{ loaded: number; sessions: number }> {
  let isOver = false;
  const ended = work.finally(() => {
    isOver = true;
  });
  ended.catch(() => {});
  const most = { loaded: 0, sessions: 0 };
  while (!isOver) {
    most.loaded = Math.max(most.loaded, await server.metric('verdict_models_loaded'));
    most.sessions = Math.max(most.sessions, childProcesses(server.pid).length);
  }
  await ended;
  return most;
}

describe('more models than may be loaded', () => {
  it('answer round-robin calls and streams of several callers, and no more are ever loaded', async (t) => {
    const { server, client } = await serve(t, MODELS, { VERDICT_DEFAULT_DEADLINE_MS: '300000' });
    // The texts are clear ones: int8 scales activations by the batch, so the label of a near tie depends on the company.
    const unary = async (from: number) => {
      const own = clientOf(t, server);
      for (let at = 0; at < MODELS.length; at++) {
        const model = MODELS[(from + at) % MODELS.length] ?? '';
        const text = `the coach ${'won the match '.repeat(at)}`;
        const { label } = await own.classify(text, { model, timeoutMs: 300_000 });
        assert.equal(label, `sports of ${model}`);
      }
    };
    const stream = async () => {
      const texts = MODELS.map((model, at) => ({
        text: `the recipe for soup ${'and bread '.repeat(at)}`,
        model,
      }));
      for await (const result of clientOf(t, server).classifyStream(texts)) {
        assert.ok(result.ok, result.ok ? '' : result.error.message);
        assert.equal(result.classification.label, `food of ${result.item.model}`);
      }
    };
    const work = Promise.all([unary(0), unary(5), stream()]);
    const most = await mostWhile(server, work);
    assert.equal(most.loaded, CACHE_SIZE);
    // One more is on its trial while a model is loaded.
    assert.ok(most.sessions <= CACHE_SIZE + 1, `${most.sessions} session processes`);
    const loads = await server.metric('verdict_model_loads_total', { outcome: 'loaded' });
    assert.ok(loads >= MODELS.length - CACHE_SIZE, `${loads} loads`);
    assert.equal(await server.metric('verdict_model_unloads_total', { cause: 'place' }), loads);
    assert.equal(await server.metric('verdict_model_load_waiting'), 0);
    assert.equal(await client.health(), 'serving');
  });

  it('are told with their states, and make neither server nor readiness look bad', async (t) => {
    const { server, client } = await serve(t, MODELS.slice(0, 5), { VERDICT_MODELS_PINNED: 'm4' });
    const states = async () => (await client.listModels()).map(({ versions }) => versions[0]?.state);
    assert.deepEqual(await states(), ['serving', 'serving', 'unloaded', 'unloaded', 'serving']);
    assert.deepEqual(
      (await client.listModels()).map(({ isPinned }) => isPinned),
      [true, false, false, false, true],
    );
    assert.equal((await fetch(`${server.adminUrl}/readyz`)).status, 200);
    assert.equal(await client.health(), 'serving');
    assert.equal(await client.health('models/m2'), 'not_serving');
    assert.equal((await client.classify('the coach', { model: 'm2' })).model, 'm2');
    assert.deepEqual(await states(), ['serving', 'unloaded', 'serving', 'unloaded', 'serving']);
    assert.deepEqual(
      [await client.health('models/m1'), await client.health('models/m2')],
      ['not_serving', 'serving'],
    );
    // What was known of it when it was loaded last still is.
    const [former] = (await client.getModel('m1')).versions;
    assert.deepEqual([former?.labels[0], former?.instances, former?.memoryBytes], ['sports of m1', 0, 0]);
    assert.match(former?.digest ?? '', /^sha256:/);
    await assert.rejects(client.classify('the coach', { model: 'm1', version: '2' }), {
      reason: 'VERSION_NOT_FOUND',
    });
    assert.equal(await stateOf(client, 'm1'), '1 unloaded');
  });

  it('start again after the server was killed in the middle of a load', async (t) => {
    const { models, server, client } = await serve(t, MODELS.slice(0, 5));
    const waiting = client
      .classify('the coach', { model: 'm4' })
      .catch((error: VerdictClientError) => error.code);
    await until('a load is under way', async () => (await stateOf(client, 'm4')) === '1 loading');
    const sessions = childProcesses(server.pid);
    server.kill('SIGKILL');
    await server.exit;
    assert.equal(await waiting, 'UNAVAILABLE');
    await until('no session process is left', () => !sessions.some(isAlive), PATIENCE);
    const again = clientOf(t, await models.serve(t, 'm0'));
    for (const model of MODELS.slice(0, 5))
      assert.equal((await again.classify('the coach', { model })).label, `sports of ${model}`);
  });

  it('are loaded and unloaded by hand, unless they are pinned', async (t) => {
    const { server, client } = await serve(t, MODELS.slice(0, 4));
    assert.equal((await client.loadModel('m3')).servingVersion, '1');
    assert.equal((await client.loadModel('m3')).servingVersion, '1', 'it is loaded already');
    assert.equal(await server.metric('verdict_model_loads_total', { outcome: 'loaded' }), 1);
    const { versions } = await client.unloadModel('m3');
    assert.equal(versions[0]?.state, 'unloaded');
    assert.equal((await client.unloadModel('m3')).versions[0]?.state, 'unloaded', 'it is unloaded already');
    server.kill('SIGHUP');
    await until('the models are reloaded', async () => {
      return (await server.metric('verdict_model_reloads_total', { outcome: 'unchanged' })) === 4;
    });
    assert.equal(await stateOf(client, 'm3'), '1 unloaded', 'a reload leaves it there');
    await assert.rejects(client.unloadModel('m0'), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(client.unloadModel('m9'), { code: 'NOT_FOUND', reason: 'MODEL_NOT_FOUND' });
    await assert.rejects(client.loadModel('m9'), { code: 'NOT_FOUND', reason: 'MODEL_NOT_FOUND' });
    await assert.rejects(client.loadModel(''), { code: 'INVALID_ARGUMENT' });
    assert.equal((await client.classify('the coach', { model: 'm3' })).label, 'sports of m3');
  });

  it('keep answering from the cache while they are unloaded, and forget what they are told to', async (t) => {
    const { server, client } = await serve(t, MODELS.slice(0, 4));
    const ask = async (text: string) => {
      const { label, cache } = await client.classify(text, { model: 'm3' });
      assert.match(label ?? '', / of m3$/);
      return cache;
    };
    assert.equal(await ask('the coach'), 'miss');
    await client.unloadModel('m3');
    const loads = () => server.metric('verdict_model_loads_total', { outcome: 'loaded' });
    assert.equal(await ask('the coach'), 'lru');
    assert.deepEqual([await loads(), await stateOf(client, 'm3')], [1, '1 unloaded']);
    const { versions, removedFromMemory } = await client.forget('the coach', { model: 'm3' });
    assert.deepEqual([versions.map(({ model }) => model), removedFromMemory], [['m3'], 1]);
    assert.equal(await ask('the coach'), 'miss');
    assert.equal(await loads(), 2);
  });

  it('tell how far a load is to who watches, and give it up where the server stops', async (t) => {
    const { server, client } = await serve(t, MODELS.slice(0, 4));
    const stages: string[] = [];
    const loading = client.loadModel('m3');
    loading.catch(() => {});
    while ((await stateOf(client, 'm3')) !== '1 serving') {
      const [version] = (await client.getModel('m3')).versions;
      if (version?.state === 'loading' && stages.at(-1) !== version.stateReason)
        stages.push(version.stateReason);
    }
    assert.ok(
      stages.some((stage) => /\((1|2|3|4) of 4\)$/.test(stage)),
      stages.join(),
    );
    assert.deepEqual(
      stages,
      [...stages].sort((a, b) => a.slice(-7).localeCompare(b.slice(-7))),
    );
    await client.unloadModel('m3');
    const waiting = client
      .classify('the coach again', { model: 'm3' })
      .catch((error: VerdictClientError) => error.code);
    await until('a load is under way', async () => (await stateOf(client, 'm3')) === '1 loading');
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.equal(await waiting, 'UNAVAILABLE');
  });

  it('have their traffic set while they are unloaded, and follow it once they are loaded', async (t) => {
    const { models, server, client } = await serve(t, MODELS.slice(0, 4));
    await models.publish('m3/2', 'topics', (folder) => ownLabels(folder, 'm3'));
    assert.equal(await stateOf(client, 'm3'), '1 unloaded');
    await client.setAlias('m3', 'champion', '1');
    await client.setTraffic('m3', [{ version: '1', percent: 100 }]);
    server.kill('SIGHUP');
    await until(
      'the new version is known',
      async () => (await stateOf(client, 'm3')) === '2 unloaded,1 unloaded',
    );
    assert.equal((await client.classify('the coach', { model: 'm3' })).version, '1');
    assert.equal(await stateOf(client, 'm3'), '2 serving,1 serving');
    const { version, alias } = await client.classify('the coach', { model: 'm3', version: 'champion' });
    assert.deepEqual([version, alias], ['1', 'champion']);
  });

  it('share a budget of memory', async (t) => {
    // One session of these models takes about 80 MB.
    const { server, client } = await serve(t, MODELS.slice(0, 5), {
      VERDICT_MODEL_CACHE_SIZE: '0',
      VERDICT_MODEL_MEMORY_BYTES: String(280 * 2 ** 20),
      VERDICT_INSTANCES: '1',
    });
    assert.equal(
      await server.metric('verdict_models_loaded'),
      1,
      'pinned ones alone are loaded at the start',
    );
    for (const model of MODELS.slice(1, 5))
      assert.equal((await client.classify('the coach', { model })).model, model);
    const bytes = await server.metric('verdict_model_memory_bytes');
    assert.ok(bytes > 0 && bytes <= 280 * 2 ** 20, `${bytes} bytes`);
    const loaded = await server.metric('verdict_models_loaded');
    assert.ok(loaded >= 2 && loaded <= 4, `${loaded} models`);
    assert.ok((await server.metric('verdict_model_unloads_total', { cause: 'memory' })) >= 1);
    const [own] = (await client.getModel('m0')).versions;
    assert.ok((own?.memoryBytes ?? 0) > 10 * 2 ** 20);
  });

  it('are loaded by the command line', async (t) => {
    const { server, client } = await serve(t, MODELS.slice(0, 4));
    const run = (...args: string[]) =>
      runToEnd('dist/src/cli/main.js', ['models', ...args, '--address', server.address]);
    const loaded = await run('load', 'm3');
    assert.equal(loaded.code, 0, loaded.stderr);
    assert.equal((JSON.parse(loaded.stdout) as Model).servingVersion, '1');
    const unloaded = await run('unload', 'm3');
    assert.deepEqual(
      [unloaded.code, (JSON.parse(unloaded.stdout) as Model).versions[0]?.state],
      [0, 'unloaded'],
    );
    const pinned = await run('unload', 'm0');
    assert.equal(pinned.code, 3);
    assert.match(pinned.stderr, /model: must not be a pinned one/);
    assert.equal((await run('load')).code, 2);
    assert.equal((await run('unload', 'm1', 'm2')).code, 2);
    assert.equal(await stateOf(client, 'm3'), '1 unloaded');
  });

  it('are loaded by callers who may use them, and by hand by those who may administer', async (t) => {
    const keys = new TestKeyFile(temporaryFolder(t));
    const partial = keys.add('partial', { models: ['m0', 'm1'] });
    const plain = keys.add('plain');
    const admin = keys.add('admin', { scopes: ['classify', 'admin'] });
    keys.write();
    const { server } = await serve(t, MODELS.slice(0, 4), { VERDICT_API_KEYS_FILE: keys.path });
    const [some, all, operator] = [partial, plain, admin].map((key) => clientOf(t, server, key));
    assert.ok(some !== undefined && all !== undefined && operator !== undefined);
    await assert.rejects(some.classify('the coach', { model: 'm3' }), { reason: 'MODEL_NOT_PERMITTED' });
    for (const act of [some.loadModel('m1'), all.loadModel('m3'), all.unloadModel('m1')])
      await assert.rejects(act, { reason: 'MISSING_SCOPE' });
    assert.equal(await server.metric('verdict_model_loads_total'), 0);
    assert.equal((await all.classify('the coach', { model: 'm3' })).label, 'sports of m3');
    await operator.unloadModel('m3');
    const acts = () =>
      server.log.filter(({ msg, method }) => msg === 'administration' && method === 'UnloadModel');
    await until('the act is in the audit', () => acts().length > 0);
    assert.deepEqual(acts()[0]?.arguments, { model: 'm3' });
  });
});
