import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { VerdictClient, type VersionComparison } from '../../clients/typescript/src/index.js';
import { perturbHead } from '../support/perturbed-head.js';
import { PublishedModels } from '../support/published-models.js';
import { runToEnd } from '../support/run-to-end.js';
import type { ServerProcess } from '../support/server-process.js';
import { until } from '../support/until.js';

/** In int8 the other inputs of a batch move an answer a little. */
const BOTH = { VERDICT_MODEL_VERSIONS: 'all', VERDICT_PRECISION: 'fp32' };
/** The label of `topics` that is perturbed: the last one. */
const FOOD = 3;
const words = ['team', 'match', 'law', 'coach', 'phone', 'bread', 'vote', 'goal', 'soup', 'chip'];
/** Texts that nobody has asked before. */
const texts = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => {
    const word = (place: number) => words[Math.floor((from + at) / 10 ** place) % 10];
    return `the ${word(0)} and the ${word(1)} ${word(2)} ${from + at}`;
  });

interface Setting {
  readonly models: PublishedModels;
  readonly server: ServerProcess;
  readonly client: VerdictClient;
}

function clientOf(t: TestContext, { address }: ServerProcess): VerdictClient {
  const client = new VerdictClient({ address, retry: false });
  t.after(() => client.close());
  return client;
}

/** A server over two versions of `topics`; the second one likes food by so much more. */
async function serve(
  t: TestContext,
  by: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<Setting> {
  const models = await PublishedModels.create(t);
  await models.publish('topics/1', 'topics');
  await models.publish('topics/2', 'topics', async (folder) => {
    if (by !== 0) await perturbHead(folder, FOOD, by);
  });
  const server = await models.serve(t, 'topics', { ...BOTH, ...settings });
  const client = clientOf(t, server);
  await client.setTraffic('topics', [{ version: '1', percent: 100 }]);
  return { models, server, client };
}

async function ask(client: VerdictClient, asked: readonly string[], version = ''): Promise<void> {
  const results = client.classifyStream(asked.map((text) => ({ text, version })));
  for await (const result of results) assert.ok(result.ok);
}

/** The only comparison, once this many inputs have been compared, or could not be. */
async function compared(client: VerdictClient, inputs: number): Promise<VersionComparison> {
  let found: VersionComparison | undefined;
  await until(`${inputs} inputs are compared`, async () => {
    [found] = await client.compareModel('topics');
    const { compared = 0, failed = 0, dropped = 0 } = found ?? {};
    return compared + failed + dropped >= inputs;
  });
  assert.ok(found);
  return found;
}

describe('a version in the shadow', () => {
  it('is found to be perturbed, label by label, and callers get nothing of it', async (t) => {
    const { server, client } = await serve(t, 4);
    assert.deepEqual((await client.setShadow('topics', '2', 100)).shadow, { version: '2', percent: 100 });
    const asked = texts(40);
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
    const { client } = await serve(t, 0);
    await client.setShadow('topics', '2', 100);
    for (const text of [...texts(10), ...texts(10)]) await client.classify(text);
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
    const { server, client } = await serve(t, 4);
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
    const { models, server, client } = await serve(t, 4);
    await client.setShadow('topics', '2', 100);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    const again = clientOf(
      t,
      await models.serve(t, 'topics', { ...BOTH, VERDICT_MODEL_VERSIONS: 'topics=1' }),
    );
    await again.classify('the coach');
    assert.equal((await compared(again, 1)).compared, 1);
  });
});

describe('a candidate with a rollback rule', () => {
  it('loses its traffic to the stable version once its labels differ, for good, and a share arms it again', async (t) => {
    const { models, server, client } = await serve(t, 8);
    await client.setRollback('topics', {
      ...{ version: '2', stableVersion: '1', maxFlipPercent: 5, minObservations: 20 },
    });
    await client.setTraffic('topics', [
      { version: '1', percent: 50 },
      { version: '2', percent: 50 },
    ]);
    let asked = 0;
    await until('the candidate has lost its traffic', async () => {
      await ask(client, texts(20, asked));
      asked += 20;
      return (await client.getModel('topics')).rollback?.rolledBack !== undefined;
    });
    const check = async (of: VerdictClient) => {
      const { traffic, rollback } = await of.getModel('topics');
      assert.deepEqual(traffic, [{ version: '1', percent: 100 }]);
      assert.equal(rollback?.rolledBack?.cause, 'flips');
      assert.ok((rollback.rolledBack?.observations ?? 0) >= 20);
      for (const text of texts(20, 5_000)) assert.equal((await of.classify(text)).version, '1');
    };
    await check(client);
    const page = await fetch(`${server.adminUrl}/readyz`);
    assert.equal(page.status, 200);
    assert.match(
      await page.text(),
      /topics\/2 lost its traffic to 1 at .*: \d+ of \d+ inputs got other labels than from 1/,
    );
    const acts = server.log.filter(({ msg, method }) => msg === 'administration' && method === 'RollBack');
    assert.deepEqual(
      acts.map(({ identity }) => identity),
      ['server'],
    );
    assert.equal(await server.metric('verdict_rollbacks_total', { cause: 'flips' }), 1);
    await server.stop();

    const again = clientOf(t, await models.serve(t, 'topics', BOTH));
    await check(again);
    const { rollback } = await again.setTraffic('topics', [{ version: '2', percent: 100 }]);
    assert.equal(rollback?.rolledBack, undefined);
    assert.equal((await again.deleteRollback('topics')).rollback, undefined);
  });
});
