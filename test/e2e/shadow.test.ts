import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { VerdictClient, VersionComparison } from '../../clients/typescript/src/index.js';
import { PublishedModels } from '../support/published-models.js';
import { runToEnd } from '../support/run-to-end.js';
import { bothServe, clientOf, freshTexts, likeFood, serveTwoVersions } from '../support/two-versions.js';
import { until } from '../support/until.js';

/** The only comparison of a model, once this many inputs have been compared, or could not be. */
async function compared(client: VerdictClient, inputs: number, model = 'topics'): Promise<VersionComparison> {
  let found: VersionComparison | undefined;
  await until(`${inputs} inputs are compared`, async () => {
    [found] = await client.compareModel(model);
    const { compared = 0, failed = 0, dropped = 0 } = found ?? {};
    return compared + failed + dropped >= inputs;
  });
  assert.ok(found);
  return found;
}

describe('a version in the shadow', () => {
  it('is found to be perturbed, label by label, and callers get nothing of it', async (t) => {
    const { server, client } = await serveTwoVersions(t, 4);
    assert.deepEqual((await client.setShadow('topics', '2', 100)).shadow, { version: '2', percent: 100 });
    const asked = freshTexts(40);
    for (const text of asked) assert.equal((await client.classify(text)).version, '1');
    const found = await compared(client, asked.length);
    assert.deepEqual([found.version, found.candidateVersion, found.notComparable], ['1', '2', '']);
    assert.equal(found.compared + found.dropped, asked.length);
    assert.ok(found.flips > 0 && found.flips <= found.compared, `${found.flips}`);
    const [first, ...others] = found.labels;
    assert.ok(first?.label === 'food' && first.flippedTo === found.flips && first.flippedFrom === 0);
    assert.ok(first.largestShift > 0.3 && first.meanShift > 0, JSON.stringify(first));
    for (const { label, flippedFrom, flippedTo, largestShift } of others)
      assert.ok(flippedFrom + flippedTo === 0 && largestShift < 1e-3, label);
    assert.equal(found.largestShift, first.largestShift);
    assert.ok(found.medianMs > 0 && found.candidateMedianMs > 0);
    assert.equal(await server.metric('verdict_shadow_flips_total', { version: '2' }), found.flips);
    assert.equal(await server.metric('inference_requests_total', { version: '2' }), 0);
    assert.doesNotMatch(JSON.stringify([found, server.log]), /the coach|the team/);
  });

  it('that is the same shows no flip and no shift, for texts that come out of the cache too', async (t) => {
    const { client } = await serveTwoVersions(t, 0);
    await client.setShadow('topics', '2', 100);
    for (const text of [...freshTexts(10), ...freshTexts(10)]) await client.classify(text);
    const found = await compared(client, 20);
    assert.deepEqual([found.compared, found.failed, found.dropped], [20, 0, 0]);
    assert.equal(found.flips, 0);
    assert.ok(found.largestShift < 1e-5, `${found.largestShift}`);
    await client.setShadow('topics', '2', 50);
    assert.deepEqual(await client.compareModel('topics'), [], 'what is set anew begins anew');
    assert.equal((await client.endShadow('topics')).shadow, undefined);
    await client.classify('after the end');
    assert.deepEqual(await client.compareModel('topics'), []);
  });

  it('is shown by the command line, as a JSON line in a pipe', async (t) => {
    const { server, client } = await serveTwoVersions(t, 4);
    const run = (...args: string[]) =>
      runToEnd('dist/src/cli/main.js', ['models', ...args, '--address', server.address]);
    const { code, stdout } = await run('shadow', 'topics', '2', '100%');
    assert.deepEqual([code, JSON.parse(stdout).shadow], [0, { version: '2', percent: 100 }]);
    await client.classify('the coach');
    await compared(client, 1);
    const shown = await run('compare', 'topics');
    assert.equal(JSON.parse(shown.stdout).compared, 1);
    for (const [args, expected] of [
      [['shadow', 'topics', '2', '101'], /from 1 to 100/],
      [['shadow', 'topics'], /and --off/],
      [['shadow', 'topics', '7', '5'], /version topics\/7 is not loaded/],
      [['compare'], /give one model/],
      [['compare', 'nothing'], /there is no model nothing/],
      [['rollback', 'topics', '2', '1'], /--max-errors or --max-flips/],
      [['rollback', 'topics', '2', '2', '--max-flips', '5'], /must be another one than version/],
      [['rollback', 'topics', '2', '1', '--max-flips', '100'], /from 0 to below 100/],
      [['rollback', 'topics', '--off'], /has no rollback rule/],
    ] as const) {
      const refused = await run(...args);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, expected);
    }
    assert.equal((await run('shadow', 'topics', '--off')).code, 0);
    assert.equal((await client.getModel('topics')).shadow, undefined);
  });

  it('outlives a restart, and keeps its version loaded', async (t) => {
    const { models, server, client } = await serveTwoVersions(t, 4);
    await client.setShadow('topics', '2', 100);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    const again = clientOf(
      t,
      await models.serve(t, 'topics', { ...bothServe, VERDICT_MODEL_VERSIONS: 'topics=1' }),
    );
    await again.classify('the coach');
    assert.equal((await compared(again, 1)).compared, 1);
  });
});

describe('a shadow in trouble', () => {
  it('is dropped where callers fill the queue, and takes no place of theirs', async (t: TestContext) => {
    const models = await PublishedModels.create(t);
    for (const version of ['1', '2']) await models.publish(`slow/${version}`, 'slow');
    const server = await models.serve(t, 'slow', {
      ...bothServe,
      ...{ VERDICT_MAX_QUEUE_ITEMS: '8', VERDICT_BATCH_MAX_ITEMS: '1', VERDICT_BATCH_MAX_RUN_MS: '0' },
    });
    const client = clientOf(t, server);
    await client.setTraffic('slow', [{ version: '1', percent: 100 }]);
    await client.setShadow('slow', '2', 100);
    // Callers of the shadow itself keep its queue more than a quarter full until the other answers are there.
    let isOver = false;
    let named = 0;
    const busy = Array.from({ length: 4 }, async (_, caller) => {
      while (!isOver) {
        await client.classify(`named ${caller} ${named++}`, {
          model: 'slow',
          version: '2',
          timeoutMs: 60_000,
        });
      }
    });
    await until('its queue is filled', async () => {
      return (await server.metric('verdict_queue_items', { model: 'slow', version: '2' })) >= 3;
    });
    for (const text of freshTexts(2))
      assert.equal((await client.classify(text, { model: 'slow', timeoutMs: 60_000 })).version, '1');
    const { dropped, failed } = await compared(client, 2, 'slow');
    isOver = true;
    await Promise.all(busy);
    assert.deepEqual([dropped > 0, failed], [true, 0]);
    assert.equal(await server.metric('verdict_shed_total', { model: 'slow' }), 0);
  });

  it('that is replaced, withdrawn or stopped while it is asked harms no caller', async (t) => {
    const { models, server, client } = await serveTwoVersions(t, 4);
    await client.setShadow('topics', '2', 100);
    let asked = 0;
    let isOver = false;
    const asking = (async () => {
      while (!isOver) {
        const results = await client.classifyBatch(freshTexts(8, asked));
        asked += 8;
        assert.ok(results.every((result) => result.ok && result.classification.version === '1'));
      }
    })();
    assert.ok((await compared(client, 8)).flips > 0);
    await models.publish('topics/2', 'topics', (folder) => likeFood(folder, 0));
    await client.reloadModels(['topics']);
    await until('the counts are those of the new one', async () => {
      const [found] = await client.compareModel('topics');
      return (found?.compared ?? 0) >= 8 && found?.flips === 0;
    });
    await models.withdraw('topics/2');
    await client.reloadModels(['topics']);
    const before = asked;
    await until('callers are answered without it', () => asked > before + 16);
    assert.match(
      await (await fetch(`${server.adminUrl}/readyz`)).text(),
      /topics\/2 is not there, and the state file names it/,
    );
    await models.publish('topics/2', 'topics', (folder) => likeFood(folder, 4));
    await client.reloadModels(['topics']);
    await until(
      'it is compared again',
      async () => ((await client.compareModel('topics'))[0]?.flips ?? 0) > 0,
    );
    isOver = true;
    await asking;
    void client.classifyBatch(freshTexts(8, asked)).catch(() => {});
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });
});
