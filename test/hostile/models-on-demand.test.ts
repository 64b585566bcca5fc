import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { VerdictClient, type VerdictClientError } from '../../clients/typescript/src/index.js';
import { childProcesses } from '../support/child-processes.js';
import { outcomesOf } from '../support/outcomes.js';
import { PublishedModels } from '../support/published-models.js';
import type { ServerProcess } from '../support/server-process.js';
import { until } from '../support/until.js';
import { HealthyCaller } from './healthy-caller.js';

const CALLERS = 2_000;
/** A call of a warm model beside all this takes milliseconds; this is what it is promised. */
const PROMISED_MS = 10_000;
const PATIENCE_MS = 300_000;

/** A server over the pinned `topics`, and copies of it that share two places. */
async function serve(
  t: TestContext,
  copies: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<{ models: PublishedModels; server: ServerProcess; client: VerdictClient }> {
  const models = await PublishedModels.create(t);
  for (const name of ['topics', ...copies])
    await models.publish(`${name}/1`, name === 'broken' ? 'broken' : 'topics');
  const server = await models.serve(t, 'topics', settings);
  const client = new VerdictClient({ address: server.address, retry: false });
  t.after(() => client.close());
  return { models, server, client };
}

const stateOf = async (client: VerdictClient, model: string) =>
  (await client.getModel(model)).versions[0]?.state;

describe('callers of models that are not loaded', { timeout: 400_000 }, () => {
  it('by the thousand cause one load, are answered or told when to come back, and hold up nobody else', async (t) => {
    const { server, client } = await serve(t, ['a', 'b', 'cold'], { VERDICT_MAX_QUEUE_ITEMS: '1000' });
    const sessions = childProcesses(server.pid);
    const calls = Array.from({ length: CALLERS }, (_, at) =>
      client.classify(`a text ${at}`, { model: 'cold', timeoutMs: PATIENCE_MS }),
    );
    const ended = outcomesOf(calls);
    const trial = () => childProcesses(server.pid).find((pid) => !sessions.includes(pid));
    await until('the load is under way', () => trial() !== undefined);
    // It is held, so that all of this happens during the load.
    const held = trial() ?? 0;
    process.kill(held, 'SIGSTOP');
    await until(
      'as many wait as may',
      async () => (await server.metric('verdict_model_load_waiting')) === 1_000,
    );
    const healthy = new HealthyCaller(server.address, { everyMs: 20, timeoutMs: PROMISED_MS });
    await until('others are answered meanwhile', () => healthy.answered >= 10);
    await healthy.stop();
    process.kill(held, 'SIGCONT');
    const outcomes = await ended;
    const { OK: answered = 0, ...refused } = outcomes;
    assert.ok(answered >= 750, `${answered} answered`);
    for (const outcome of Object.keys(refused))
      assert.match(outcome, /^RESOURCE_EXHAUSTED (MODEL_LOADING|QUEUE_FULL)$/);
    assert.equal(await server.metric('verdict_model_loads_total', { outcome: 'loaded' }), 1);
    assert.equal(await server.metric('verdict_model_load_waiting'), 0);
    assert.deepEqual(healthy.failures, []);
  });

  it('who come and leave at once hold nothing, and the model is there in the end', async (t) => {
    const { server, client } = await serve(t, ['a', 'b', 'cold']);
    const calls = Array.from({ length: 500 }, async (_, at) => {
      const leave = new AbortController();
      const call = client.classify(`a text ${at}`, {
        model: 'cold',
        signal: leave.signal,
        timeoutMs: PATIENCE_MS,
      });
      call.catch(() => {});
      await new Promise(setImmediate);
      leave.abort();
      return call;
    });
    const outcomes = await outcomesOf(calls);
    assert.deepEqual(
      Object.keys(outcomes).filter((outcome) => !/^(CANCELLED|OK)/.test(outcome)),
      [],
    );
    await until('nobody waits', async () => (await server.metric('verdict_model_load_waiting')) === 0);
    const { model } = await client.classify('a text', { model: 'cold', timeoutMs: PATIENCE_MS });
    assert.equal(model, 'cold');
  });

  it('with deadlines too short are told a delay after which the model answers them', async (t) => {
    const { client } = await serve(t, ['a', 'b', 'cold']);
    const hasty = () => client.classify('a text', { model: 'cold', timeoutMs: 400 });
    const refusal = await hasty().then(
      () => undefined,
      (error: VerdictClientError) => error,
    );
    assert.deepEqual([refusal?.code, refusal?.reason], ['RESOURCE_EXHAUSTED', 'MODEL_LOADING']);
    assert.ok((refusal?.retryAfterMs ?? 0) > 400);
    await until(
      'the model is loaded for them',
      async () => (await stateOf(client, 'cold')) === 'serving',
      PATIENCE_MS,
    );
    assert.equal((await client.classify('a text', { model: 'cold' })).model, 'cold');
  });

  it('that cannot be loaded cause one load, and hear why and when the next one may be', async (t) => {
    const { server, client } = await serve(t, ['a', 'aa', 'broken']);
    assert.equal(await stateOf(client, 'broken'), 'unloaded');
    const ask = () =>
      client.classify('a text', { model: 'broken', timeoutMs: PATIENCE_MS }).then(
        () => undefined,
        (error: VerdictClientError) => error,
      );
    const errors = await Promise.all(Array.from({ length: 200 }, ask));
    errors.push(await ask());
    for (const error of errors) {
      assert.deepEqual([error?.code, error?.reason], ['UNAVAILABLE', 'MODEL_NOT_LOADED']);
      assert.match(error?.message ?? '', /could not be loaded: broken\/1\/golden\.json/);
      assert.ok((error?.retryAfterMs ?? 0) > 0);
    }
    assert.equal(await server.metric('verdict_model_loads_total', { outcome: 'failed' }), 1);
    assert.equal(await stateOf(client, 'broken'), 'failed');
    assert.equal((await client.classify('a text', { model: 'aa' })).model, 'aa');
  });

  it('get their turn although others never stop to use all places', async (t) => {
    const { server, client } = await serve(t, ['a', 'b', 'c', 'd']);
    let isOver = false;
    let answered = 0;
    const failures: unknown[] = [];
    const use = async (model: string) => {
      while (!isOver)
        await client
          .classify(`a text ${answered++}`, { model, timeoutMs: PATIENCE_MS })
          .catch((error: unknown) => {
            failures.push(error);
          });
    };
    const users = ['a', 'a', 'b', 'b', 'c', 'd'].map(use);
    const loads = () => server.metric('verdict_model_loads_total', { outcome: 'loaded' });
    await until('each has been loaded more than once', async () => (await loads()) >= 6, PATIENCE_MS);
    assert.ok((await server.metric('verdict_models_loaded')) <= 3);
    assert.ok(childProcesses(server.pid).length <= 4);
    isOver = true;
    await Promise.all(users);
    assert.deepEqual(failures, []);
  });
});
