import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { VerdictClient } from '../../clients/typescript/src/index.js';
import { childProcesses } from '../support/child-processes.js';
import { collect } from '../support/collect.js';
import { HealthLog } from '../support/health-log.js';
import { count, type Outcomes, outcomeOf, outcomesOf } from '../support/outcomes.js';
import { ServedModels } from '../support/served-models.js';
import { until } from '../support/until.js';

describe('a session process that hangs', () => {
  it('is killed after the run timeout and replaced, and its inputs are answered', async (t) => {
    const served = await ServedModels.start(t, ['topics'], { VERDICT_RUN_TIMEOUT_MS: '5000' });
    const client = served.client();
    const pid = served.pauseSession();
    const answers = [client.classify('the coach'), client.classify('the soup')];
    assert.deepEqual(await outcomesOf(answers), { OK: 2 });
    assert.deepEqual(
      (await Promise.all(answers)).map(({ label }) => label),
      ['sports', 'food'],
    );
    await until('the loss is logged', () => served.logged('session lost').length === 1);
    assert.deepEqual(
      served.logged('session lost').map((line) => [line.pid, line.reason]),
      [[pid, 'took longer than 5000 ms over a batch and was killed']],
    );
    assert.equal(await served.server.metric('verdict_batch_retries_total', { reason: 'runner_lost' }), 1);
  });
});

describe('a model without a single session', () => {
  it('is NOT_SERVING for as long as none comes up, waits with its inputs, and serves again', async (t) => {
    const served = await ServedModels.start(t, ['topics', 'pairs']);
    const client = served.client();
    const watches = ['', 'models/topics', 'models/pairs'].map(
      (name) => new HealthLog(served.server.address, name),
    );
    t.after(() => {
      for (const watch of watches) watch.close();
    });
    await until('the watches have begun', () => watches.every(({ last }) => last === 'SERVING'));

    await served.withhold('topics');
    process.kill(served.sessions('topics')[0] ?? 0, 'SIGKILL');
    await until('a replacement has failed', () => served.logged('session lost').length >= 2);
    assert.deepEqual(
      watches.map(({ last }) => last),
      ['NOT_SERVING', 'NOT_SERVING', 'SERVING'],
    );
    assert.equal(await client.health('verdict.v1.ClassifierService'), 'not_serving');
    assert.equal((await fetch(`${served.server.adminUrl}/readyz`)).status, 503);
    assert.equal((await fetch(`${served.server.adminUrl}/livez`)).status, 200);
    assert.equal(await served.server.metric('verdict_instances_ready', { model: 'topics' }), 0);
    assert.equal(await served.server.metric('verdict_model_state', { model: 'topics', state: 'failed' }), 1);
    assert.equal(
      (await client.classify({ text: 'the team', textPair: 'the team' }, { model: 'pairs' })).model,
      'pairs',
    );
    assert.equal((await client.listModels())[1]?.versions[0]?.state, 'failed');

    const waiting = Promise.all([
      client.classify('the coach'),
      client.classifyBatch(['the soup', 'the law']),
    ]);
    await until('the inputs wait', async () => {
      return (await served.server.metric('verdict_queue_items', { model: 'topics' })) === 3;
    });
    await served.restore('topics');
    const [answer, batch] = await waiting;
    assert.equal(answer.label, 'sports');
    assert.ok(batch.every(({ ok }) => ok));
    await until('health is back', () => watches.every(({ last }) => last === 'SERVING'));
    assert.deepEqual(watches[2]?.told, ['SERVING']);
  });

  it('refuses its inputs as UNAVAILABLE once none has come up for long', async (t) => {
    const served = await ServedModels.start(t, ['topics']);
    const client = served.client();
    await served.withhold('topics');
    process.kill(served.sessions()[0] ?? 0, 'SIGKILL');
    await until('the loss is noticed', async () => (await client.health()) === 'not_serving');
    const waited = await outcomesOf([
      client.classify('the coach'),
      client.classifyBatch(['the soup', 'the law']),
    ]);
    assert.deepEqual(waited, { 'UNAVAILABLE NO_INSTANCE': 2 });
    assert.deepEqual(await outcomesOf([client.classify('the coach')]), { 'UNAVAILABLE NO_INSTANCE': 1 });
    const [item] = await collect(client.classifyStream(['the coach']));
    assert.equal(outcomeOf(item?.ok === false ? item.error : undefined), 'UNAVAILABLE NO_INSTANCE');
    await served.restore('topics');
    await served.untilServing();
    assert.equal((await client.classify('the coach')).label, 'sports');
  });

  it('survives that the replacement is killed while it opens', async (t) => {
    const served = await ServedModels.start(t, ['topics']);
    const [first] = served.sessions();
    process.kill(first ?? 0, 'SIGKILL');
    let second: number | undefined;
    await until('the replacement has been started', () => {
      second = childProcesses(served.server.pid).find((pid) => pid !== first);
      return second !== undefined;
    });
    process.kill(second ?? 0, 'SIGKILL');
    await until('a later one is ready', () => served.logged('session restarts').length >= 2);
    await served.untilServing();
    assert.equal((await served.client().classify('the coach')).label, 'sports');
  });
});

describe('one of two session processes that is killed', () => {
  it('leaves the other one to serve: health stays SERVING and no request fails', async (t) => {
    const served = await ServedModels.start(t, ['topics'], { VERDICT_INSTANCES: '2' });
    const client = served.client();
    const watch = new HealthLog(served.server.address);
    t.after(() => watch.close());
    const load = new Load(client);
    await until('the load flows', () => (load.outcomes.OK ?? 0) > 50);

    await served.withhold('topics');
    process.kill(served.sessions()[0] ?? 0, 'SIGKILL');
    await until('a replacement has failed', () => served.logged('session lost').length >= 2);
    const before = load.outcomes.OK ?? 0;
    await until('the load flows on', () => (load.outcomes.OK ?? 0) > before + 50);
    assert.equal(await served.server.metric('verdict_instances_ready'), 1);
    assert.equal(await served.server.metric('verdict_instances_wanted'), 2);
    assert.equal((await fetch(`${served.server.adminUrl}/readyz`)).status, 200);
    await served.restore('topics');
    await until('both are back', async () => (await served.server.metric('verdict_instances_ready')) === 2);

    await load.stop();
    assert.deepEqual(Object.keys(load.outcomes), ['OK']);
    assert.deepEqual(watch.told, ['SERVING']);
  });
});

/** Eight callers that ask for ever new texts until they are stopped. */
class Load {
  readonly outcomes: Outcomes = {};
  #stopped = false;
  #sent = 0;
  readonly #callers: Promise<unknown>;

  constructor(client: VerdictClient) {
    this.#callers = Promise.all(Array.from({ length: 8 }, () => this.#call(client)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#callers;
  }

  async #call(client: VerdictClient): Promise<void> {
    while (!this.#stopped) {
      const answer = client.classify(`the coach of team ${this.#sent++}`);
      count(this.outcomes, await answer.then(() => outcomeOf(), outcomeOf));
    }
  }
}
