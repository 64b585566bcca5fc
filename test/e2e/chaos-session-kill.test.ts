import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collect } from '../support/collect.js';
import { HealthLog } from '../support/health-log.js';
import { outcomeOf, outcomesOf } from '../support/outcomes.js';
import { ServedModels } from '../support/served-models.js';
import { until } from '../support/until.js';

const texts = (count: number, word = 'team'): string[] =>
  Array.from({ length: count }, (_, i) => `${word} ${i} won the match`);

describe('a session process that is killed', () => {
  it('in the middle of a batch loses no request: each is run again once on the replacement', async (t) => {
    const served = await ServedModels.start(t, ['topics'], { VERDICT_BATCH_MAX_ITEMS: '16' });
    const client = served.client();
    const watch = new HealthLog(served.server.address);
    t.after(() => watch.close());
    await until('the watch has begun', () => watch.last === 'SERVING');

    const pid = served.pauseSession();
    const answers: Promise<unknown>[] = [];
    await served.untilRunning(() => {
      answers.push(...texts(40).map((text) => client.classify(text)));
      answers.push(client.classifyBatch(texts(20, 'batch')));
      answers.push(collect(client.classifyStream(texts(50, 'stream'))));
    });
    process.kill(pid, 'SIGKILL');

    assert.deepEqual(await outcomesOf(answers), { OK: 42 });
    const [batch, stream] = (await Promise.all(answers.slice(40))) as { ok: boolean }[][];
    assert.deepEqual([batch?.length, stream?.length], [20, 50]);
    assert.ok([...(batch ?? []), ...(stream ?? [])].every(({ ok }) => ok));
    await until('health is back', () => watch.told.length >= 3);
    assert.deepEqual(watch.told, ['SERVING', 'NOT_SERVING', 'SERVING']);
    await until('the loss is logged', () => served.logged('session lost').length > 0);
    assert.equal(served.logged('session lost')[0]?.reason, 'killed by SIGKILL');
    const model = { model: 'topics' };
    assert.equal(await served.server.metric('verdict_instances_lost_total', model), 1);
    assert.equal(await served.server.metric('verdict_instance_restarts_total', model), 1);
    assert.equal(
      await served.server.metric('verdict_batch_retries_total', { ...model, reason: 'runner_lost' }),
      1,
    );
    assert.equal(await served.server.metric('verdict_instances_ready', model), 1);
  });

  it('while nothing runs is replaced before anybody notices', async (t) => {
    const served = await ServedModels.start(t, ['topics']);
    const [first] = served.sessions();
    process.kill(first ?? 0, 'SIGKILL');
    await until('there is another session', () => served.logged('session ready').length === 2);
    await served.untilServing();
    assert.equal((await served.client().classify('the coach')).label, 'sports');
    assert.notEqual(served.sessions()[0], first);
  });

  it('twice over the same inputs fails them, each with an error of its own, and nothing else', async (t) => {
    // A run of 32 inputs takes a second and more: long enough to be killed in.
    const served = await ServedModels.start(t, ['slow'], { VERDICT_BATCH_MAX_RUN_MS: '0' });
    const client = served.client();
    const first = served.pauseSession();
    let results: Promise<{ readonly ok: boolean; readonly error?: unknown }[]> = Promise.resolve([]);
    await served.untilRunning(() => {
      results = client.classifyBatch(texts(32));
    });
    process.kill(first, 'SIGKILL');
    await until('the replacement is ready', () => served.logged('session ready').length === 2);
    const [second] = served.sessions();
    process.kill(second ?? 0, 'SIGKILL');

    const outcomes = (await results).map(({ error }) => outcomeOf(error));
    // Inputs that came too late for the batch that was killed first have a third session to run on.
    assert.ok(outcomes.includes('INTERNAL RUNTIME_LOST'));
    assert.ok(outcomes.every((outcome) => outcome === 'OK' || outcome === 'INTERNAL RUNTIME_LOST'));
    await served.untilServing();
    assert.equal((await client.classify('a new text')).cache, 'miss');
    assert.equal(await served.server.metric('verdict_instances_lost_total', { model: 'slow' }), 2);
  });

  it('again and again is replaced with pauses that grow, and serves once it is left alone', async (t) => {
    const served = await ServedModels.start(t, ['topics']);
    for (let round = 1; round <= 4; round++) {
      await until('a session is ready', () => served.logged('session ready').length === round);
      process.kill(served.sessions()[0] ?? 0, 'SIGKILL');
      await until('the loss is noticed', () => served.logged('session restarts').length === round);
    }
    const restarts = served.logged('session restarts');
    assert.deepEqual(
      restarts.map(({ attempt }) => attempt),
      [1, 2, 3, 4],
    );
    for (const { attempt, delay_ms: delayMs } of restarts) {
      const full = 100 * 2 ** (Number(attempt) - 1);
      assert.ok(Number(delayMs) >= full / 2 && Number(delayMs) <= full, `${Number(delayMs)} of ${full} ms`);
    }
    await until('the fifth session is ready', () => served.logged('session ready').length === 5);
    await served.untilServing();
    assert.equal((await served.client().classify('the coach')).label, 'sports');
  });
});
