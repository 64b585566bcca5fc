import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collect } from '../support/collect.js';
import { ServedModels } from '../support/served-models.js';
import { until } from '../support/until.js';

const settings = { VERDICT_INSTANCES: '0', VERDICT_INTRA_OP_THREADS: '2' };
const split = { ...settings, VERDICT_SPLIT_FROM_MS: '0' };
const model = { model: 'topics' };

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `team ${i} won the match`);

describe('the sessions of a model that takes its time', () => {
  it('are one for a text that comes alone, and two for what comes together', async (t) => {
    const served = await ServedModels.start(t, ['topics'], split);
    const [lone, ...parts] = served.sessions();
    assert.equal(parts.length, 2);
    const client = served.client();
    assert.equal((await client.listModels())[0]?.versions[0]?.instances, 2);

    // The two hang: who answers is the third.
    for (const pid of parts) process.kill(pid, 'SIGSTOP');
    assert.equal((await client.classify('the coach')).label, 'sports');
    for (const pid of parts) process.kill(pid, 'SIGCONT');

    // And the other way round, but for the text that may have come first and alone.
    process.kill(lone ?? 0, 'SIGSTOP');
    const before = await served.server.metric('verdict_batch_items_sum', model);
    const results = client.classifyBatch(texts(20));
    await until('nearly all have run', async () => {
      return (await served.server.metric('verdict_batch_items_sum', model)) >= before + 19;
    });
    process.kill(lone ?? 0, 'SIGCONT');
    assert.ok((await results).every(({ ok }) => ok));
  });

  it('are each replaced when killed, and no request is lost', async (t) => {
    const served = await ServedModels.start(t, ['topics'], split);
    const client = served.client();
    const results = collect(client.classifyStream(texts(200)));
    const alone = client.classify('the coach');
    for (const pid of served.sessions()) process.kill(pid, 'SIGKILL');
    assert.equal((await alone).label, 'sports');
    assert.ok((await results).every(({ ok }) => ok));
    await until('three sessions are ready again', () => served.sessions().length === 3);
    await served.untilServing();
    assert.equal(await served.server.metric('verdict_instances_lost_total', model), 3);
    assert.equal(await served.server.metric('verdict_instances_wanted', model), 2);
  });
});

describe('the one session of a model', () => {
  it('is all there is where a text takes less than it is worth', async (t) => {
    const served = await ServedModels.start(t, ['topics'], {
      ...settings,
      VERDICT_SPLIT_FROM_MS: '3600000',
    });
    assert.equal(served.sessions().length, 1);
    assert.equal(await served.server.metric('verdict_instances_wanted', model), 1);
  });

  it('is all there is where that many were asked for, or there is one thread', async (t) => {
    for (const given of [{ VERDICT_INSTANCES: '1' }, { VERDICT_INTRA_OP_THREADS: '1' }]) {
      const served = await ServedModels.start(t, ['topics'], { ...split, ...given });
      assert.equal(served.sessions().length, 1);
    }
  });
});
