import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { VerdictClient } from '../../clients/typescript/src/index.js';
import { outcomeOf } from '../support/outcomes.js';
import { PublishedModels } from '../support/published-models.js';
import { bothServe, clientOf, freshTexts, serveTwoVersions } from '../support/two-versions.js';
import { until } from '../support/until.js';

async function ask(client: VerdictClient, asked: readonly string[], version = ''): Promise<void> {
  const results = client.classifyStream(asked.map((text) => ({ text, version })));
  for await (const result of results) assert.ok(result.ok);
}

describe('a candidate with a rollback rule', () => {
  it('loses its traffic to the stable version once its labels differ, for good, and a share arms it again', async (t) => {
    const { models, server, client } = await serveTwoVersions(t, 8);
    await client.setRollback('topics', {
      ...{ version: '2', stableVersion: '1', maxFlipPercent: 5, minObservations: 20 },
    });
    await client.setTraffic('topics', [
      { version: '1', percent: 50 },
      { version: '2', percent: 50 },
    ]);
    let asked = 0;
    await until('the candidate has lost its traffic', async () => {
      await ask(client, freshTexts(20, asked));
      asked += 20;
      return (await client.getModel('topics')).rollback?.rolledBack !== undefined;
    });
    const check = async (of: VerdictClient) => {
      const { traffic, rollback } = await of.getModel('topics');
      assert.deepEqual(traffic, [{ version: '1', percent: 100 }]);
      assert.equal(rollback?.rolledBack?.cause, 'flips');
      assert.ok((rollback.rolledBack?.observations ?? 0) >= 20);
      for (const text of freshTexts(20, 5_000)) assert.equal((await of.classify(text)).version, '1');
    };
    await check(client);
    const page = await fetch(`${server.adminUrl}/readyz`);
    assert.equal(page.status, 200);
    assert.match(
      await page.text(),
      /topics\/2 lost its traffic to 1 at .*: \d+ of \d+ inputs got other labels than from 1/,
    );
    const acts = () =>
      server.log.filter(({ msg, method }) => msg === 'administration' && method === 'RollBack');
    await until('it is a line of the audit', () => acts().length > 0);
    assert.deepEqual(
      acts().map(({ identity }) => identity),
      ['server'],
    );
    assert.equal(await server.metric('verdict_rollbacks_total', { cause: 'flips' }), 1);
    await server.stop();

    const again = clientOf(t, await models.serve(t, 'topics', bothServe));
    await check(again);
    const { rollback } = await again.setTraffic('topics', [{ version: '2', percent: 100 }]);
    assert.equal(rollback?.rolledBack, undefined);
    assert.equal((await again.deleteRollback('topics')).rollback, undefined);
  });

  it('loses it by inputs that fail in it alone', async (t) => {
    const models = await PublishedModels.create(t);
    // The first version knows no poison: it reads it as any unknown word.
    await models.publish('poison/1', 'poison', async (folder) => {
      const path = join(folder, 'tokenizer.json');
      const tokenizer = JSON.parse(readFileSync(path, 'utf8'));
      delete tokenizer.model.vocab.poison;
      writeFileSync(path, JSON.stringify(tokenizer));
    });
    await models.publish('poison/2', 'poison');
    const server = await models.serve(t, 'poison', bothServe);
    const client = clientOf(t, server);
    await client.setRollback('poison', {
      ...{ version: '2', stableVersion: '1', maxErrorPercent: 10, minObservations: 10 },
    });
    for (const text of freshTexts(5)) assert.equal((await client.classify(text)).version, '2');
    const isOver = async () => (await client.getModel('poison')).rollback?.rolledBack !== undefined;
    let asked = 0;
    await until('the candidate has lost its traffic', async () => {
      const found = await client.classify(`poison ${asked++}`).catch((error: unknown) => outcomeOf(error));
      assert.ok(typeof found !== 'string' || found === 'INTERNAL INFERENCE_FAILED');
      return isOver();
    });
    assert.ok(asked >= 5, `${asked}`);
    const { traffic, rollback } = await client.getModel('poison');
    assert.deepEqual(traffic, [{ version: '1', percent: 100 }]);
    assert.equal(rollback?.rolledBack?.cause, 'errors');
    assert.equal((await client.classify('poison for all')).version, '1');
    await assert.rejects(client.classify('poison by name', { version: '2' }), { code: 'INTERNAL' });
  });

  it('loses it when its sessions die', async (t) => {
    const models = await PublishedModels.create(t);
    for (const version of ['1', '2']) await models.publish(`slow/${version}`, 'slow');
    const server = await models.serve(t, 'slow', { ...bothServe, VERDICT_BATCH_MAX_RUN_MS: '0' });
    const client = clientOf(t, server);
    await client.setRollback('slow', {
      ...{ version: '2', stableVersion: '1', maxErrorPercent: 10, minObservations: 10 },
    });
    const sessions = () =>
      server.log
        .filter(({ msg, version }) => msg === 'session ready' && version === '2')
        .map(({ pid }) => Number(pid));
    const busy = () => server.metric('verdict_session_busy_seconds_total', { version: '2' });
    const [first = 0] = sessions();
    process.kill(first, 'SIGSTOP');
    const before = await busy();
    const results = client.classifyBatch(freshTexts(32), { timeoutMs: 60_000 });
    await until('a batch is under way', async () => (await busy()) > before);
    let isOver = false;
    void results.finally(() => {
      isOver = true;
    });
    // Each input is given to a second session once the first is lost, and to no third.
    for (let lost = 0; !isOver; lost++) {
      await until('a session is ready', () => isOver || sessions().length > lost);
      if (!isOver) process.kill(sessions()[lost] ?? 0, 'SIGKILL');
    }
    const failed = (await results).filter((result) => !result.ok).length;
    assert.ok(failed >= 10, `${failed}`);
    await until('the candidate has lost its traffic', async () => {
      return (await client.getModel('slow')).rollback?.rolledBack !== undefined;
    });
    const { traffic, rollback } = await client.getModel('slow');
    assert.deepEqual(traffic, [{ version: '1', percent: 100 }]);
    assert.equal(rollback?.rolledBack?.cause, 'errors');
    assert.equal((await client.classify('after it', { timeoutMs: 60_000 })).version, '1');
  });
});
