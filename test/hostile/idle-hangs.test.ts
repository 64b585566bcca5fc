import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { endingThreads } from '../support/ending-threads.js';
import { HealthLog } from '../support/health-log.js';
import { ServedModels } from '../support/served-models.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const PATIENCE = { timeout: 120_000 };
const TESTED = { VERDICT_SELF_TEST_INTERVAL_MS: '200', VERDICT_RUN_TIMEOUT_MS: '1000' };

describe('what hangs while nobody calls', () => {
  it('is found and replaced, and health tells meanwhile: a session process', PATIENCE, async (t) => {
    const served = await ServedModels.start(t, ['topics', 'pairs'], TESTED);
    const watches = ['', 'models/topics', 'models/pairs'].map(
      (name) => new HealthLog(served.server.address, name),
    );
    t.after(() => {
      for (const watch of watches) watch.close();
    });
    await until('the watches have begun', () => watches.every(({ last }) => last === 'SERVING'));
    const pid = served.pauseSession('topics');
    await until('the session is replaced', () => {
      const [now, ...others] = served.sessions('topics');
      return now !== undefined && others.length === 0 && now !== pid;
    });
    await until('it is logged', () => served.logged('session lost').length > 0);
    assert.equal(served.logged('session lost')[0]?.reason, 'was stopped (SIGSTOP) and was killed');
    await served.untilServing();
    await until('the watches know', () => watches.every(({ last }) => last === 'SERVING'));
    assert.deepEqual(
      watches.map(({ told }) => told),
      [['SERVING', 'NOT_SERVING', 'SERVING'], ['SERVING', 'NOT_SERVING', 'SERVING'], ['SERVING']],
    );
    assert.equal((await served.client().classify('the coach')).label, 'sports');
  });

  it('is found and replaced, and health tells meanwhile: a tokeniser thread', PATIENCE, async (t) => {
    const path = temporaryFolder(t);
    const served = await ServedModels.start(t, ['topics'], { ...TESTED, ...endingThreads(path) });
    const watch = new HealthLog(served.server.address);
    t.after(() => watch.close());
    await until('the watch has begun', () => watch.last === 'SERVING');
    writeFileSync(join(path, 'spin'), '');
    await until('health has told', () => watch.told.length === 3);
    assert.deepEqual(watch.told, ['SERVING', 'NOT_SERVING', 'SERVING']);
    await until('it is logged', () => served.logged('a tokeniser thread was lost and replaced').length > 0);
    assert.match(
      String(served.logged('a tokeniser thread was lost and replaced')[0]?.reason),
      /was stuck for 3000 ms/,
    );
    assert.equal((await served.client().classify('the coach '.repeat(40))).label, 'sports');
  });

  it('is found though a caller comes first: it gets its answer from the replacement', PATIENCE, async (t) => {
    // With the limit of a run alone, the test would run into its own.
    const served = await ServedModels.start(t, ['topics'], { ...TESTED, VERDICT_RUN_TIMEOUT_MS: '3600000' });
    const client = served.client({ defaultTimeoutMs: 100_000 });
    served.pauseSession('topics');
    assert.equal((await client.classify('the coach')).label, 'sports');
  });

  it('is one of two tokeniser threads: the other one serves, and health stays', PATIENCE, async (t) => {
    const path = temporaryFolder(t);
    const served = await ServedModels.start(t, ['topics'], {
      ...TESTED,
      ...endingThreads(path),
      VERDICT_TOKENIZER_WORKERS: '2',
    });
    const watch = new HealthLog(served.server.address);
    t.after(() => watch.close());
    await until('the watch has begun', () => watch.last === 'SERVING');
    writeFileSync(join(path, 'spin'), '');
    await until('a thread is replaced', () => {
      return served.logged('a tokeniser thread was lost and replaced').length > 0;
    });
    assert.equal((await served.client().classify('the coach '.repeat(40))).label, 'sports');
    assert.deepEqual(watch.told, ['SERVING']);
  });

  it('does not make callers wait, nor count as their work, while nothing hangs', PATIENCE, async (t) => {
    const served = await ServedModels.start(t, ['topics'], { VERDICT_SELF_TEST_INTERVAL_MS: '1' });
    const client = served.client();
    const texts = Array.from({ length: 300 }, (_, number) => `the coach of team ${number}`);
    for (const text of texts) assert.equal((await client.classify(text)).label, 'sports');
    assert.equal(await served.server.metric('verdict_batch_items_sum', { model: 'topics' }), 300);
    assert.deepEqual(served.logged('session lost'), []);
  });
});
