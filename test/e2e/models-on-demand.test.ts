import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { VerdictClient, type VerdictClientError } from '../../clients/typescript/src/index.js';
import { childProcesses, isAlive } from '../support/child-processes.js';
import { PublishedModels } from '../support/published-models.js';
import type { ServerProcess } from '../support/server-process.js';
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
    // All copies have the same weights, so the pinned one tells what the others are to answer.
    const isRight = async (text: string, label: string | undefined, model: string) => {
      const { label: expected = '' } = await client.classify(text, { model: 'm0' });
      assert.equal(label, expected.replace('m0', model));
    };
    const unary = async (from: number) => {
      const own = clientOf(t, server);
      for (let at = 0; at < MODELS.length; at++) {
        const model = MODELS[(from + at) % MODELS.length] ?? '';
        const text = `the coach ${'won the match '.repeat(at)}`;
        await isRight(text, (await own.classify(text, { model, timeoutMs: 300_000 })).label, model);
      }
    };
    const stream = async () => {
      const texts = MODELS.map((model, at) => ({
        text: `a new law on soup ${'for all '.repeat(at)}`,
        model,
      }));
      for await (const result of clientOf(t, server).classifyStream(texts)) {
        assert.ok(result.ok, result.ok ? '' : result.error.message);
        await isRight(result.item.text, result.classification.label, result.item.model);
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
});
