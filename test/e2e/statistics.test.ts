import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { VerdictClient, type VersionStatistics } from '../../clients/typescript/src/index.js';
import { TestKeyFile } from '../support/key-files.js';
import { PublishedModels } from '../support/published-models.js';
import { runToEnd } from '../support/run-to-end.js';
import type { ServerProcess } from '../support/server-process.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

function connect(t: TestContext, { address }: ServerProcess, apiKey?: string): VerdictClient {
  const client = new VerdictClient({
    address,
    retry: false,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  t.after(() => client.close());
  return client;
}

/** A server over two versions of `topics`. */
async function serve(t: TestContext, settings: Readonly<Record<string, string>> = {}) {
  const models = await PublishedModels.create(t);
  for (const version of ['1', '2']) await models.publish(`topics/${version}`, 'topics');
  const server = await models.serve(t, 'topics', { VERDICT_MODEL_VERSIONS: 'all', ...settings });
  return { models, server };
}

const sizes = ({ batches }: VersionStatistics) => batches.sizes.reduce((sum, one) => sum + one.batches, 0);

describe('the statistics of a model', () => {
  it('count what each version has answered, from where, in which batches, and how long it took', async (t) => {
    const { server } = await serve(t);
    const client = connect(t, server);
    const [before, other] = await client.getModelStatistics('topics');
    assert.deepEqual([before?.version, before?.answered, before?.lastUsed], ['2', 0, undefined]);
    assert.equal(other?.version, '1');

    await client.setAlias('topics', 'champion', '2');
    for (let at = 0; at < 3; at++) await client.classify('the coach', { version: 'champion' });
    await client.classify('the coach', { cache: 'bypass' });
    const many = Array.from({ length: 20 }, (_, at) => `the coach and ${at} players`);
    await client.classifyBatch(many);
    const long = 'the coach '.repeat(600);
    await assert.rejects(client.classify(long, { truncation: 'reject' }), { code: 'INVALID_ARGUMENT' });

    const [two] = await client.getModelStatistics('topics', { version: 'champion' });
    assert.ok(two !== undefined);
    assert.deepEqual(
      [two.version, two.answered, two.failed, two.cancelled, two.failures],
      ['2', 24, 1, 0, [{ code: 'INVALID_ARGUMENT', inputs: 1 }]],
    );
    assert.deepEqual(two.cache, { miss: 21, lru: 2, redis: 0, coalesced: 0, bypassed: 1 });
    assert.deepEqual(
      Object.entries(two.stages).map(([stage, { inputs }]) => [stage, inputs]),
      [
        ['tokenize', 22],
        ['queue', 22],
        ['inference', 22],
        ['postprocess', 24],
        ['total', 24],
      ],
    );
    const { tokenize, queue, inference, total } = two.stages;
    assert.ok(inference.totalMs > 0 && total.totalMs >= inference.totalMs && queue.totalMs >= 0);
    assert.ok(tokenize.totalMs > 0);
    assert.equal(two.batches.inputs, 22);
    assert.equal(sizes(two), two.batches.batches);
    assert.ok(two.batches.batches >= 3 && two.batches.batches <= 22, `${two.batches.batches}`);
    assert.ok(two.batches.paddedTokens >= two.batches.tokens && two.tokens > two.batches.tokens);
    assert.ok(two.batches.runMs > 0);
    assert.ok(two.since !== undefined && two.lastUsed !== undefined && two.since < two.lastUsed);

    const [one] = await client.getModelStatistics('topics', { version: '1' });
    assert.deepEqual([one?.answered, one?.batches.sizes, one?.lastUsed], [0, [], undefined]);
  });

  it('tell the memory of the session processes of each version, as GetModel does', async (t) => {
    const { server } = await serve(t);
    const client = connect(t, server);
    await until('it was measured', async () => {
      const versions = await client.getModelStatistics('topics');
      return versions.length === 2 && versions.every(({ memoryBytes }) => memoryBytes > 10e6);
    });
  });

  it('count those who leave, and forget a version that is gone', async (t) => {
    const { models, server } = await serve(t);
    const client = connect(t, server);
    const [session] = server.log.filter(({ msg, version }) => msg === 'session ready' && version === '2');
    process.kill(Number(session?.pid), 'SIGSTOP');
    const caller = new AbortController();
    const leaving = client.classify('the coach', { signal: caller.signal });
    const busy = () => server.metric('verdict_session_busy_seconds_total', { version: '2' });
    const before = await busy();
    await until('it runs', async () => (await busy()) > before);
    caller.abort();
    await assert.rejects(leaving, { code: 'CANCELLED' });
    await until('it is counted', async () => {
      const [two] = await client.getModelStatistics('topics', { version: '2' });
      return two?.cancelled === 1 && two.failed === 0;
    });
    process.kill(Number(session?.pid), 'SIGCONT');

    await models.withdraw('topics/2');
    await client.reloadModels();
    assert.deepEqual(
      (await client.getModelStatistics('topics')).map(({ version }) => version),
      ['1'],
    );
    await assert.rejects(client.getModelStatistics('topics', { version: '2' }), {
      code: 'NOT_FOUND',
      reason: 'VERSION_NOT_FOUND',
    });
  });

  it('are for those who may use the model, and refuse what names none', async (t) => {
    const file = new TestKeyFile(temporaryFolder(t));
    const web = file.add('web', { scopes: ['classify'] });
    const other = file.add('other', { scopes: ['classify'], models: ['pairs'] });
    const ops = file.add('ops', { scopes: ['reflection'] });
    file.write();
    const { server } = await serve(t, { VERDICT_API_KEYS_FILE: file.path });
    const client = connect(t, server, web);
    assert.equal((await client.getModelStatistics('topics')).length, 2);
    const denied = { code: 'PERMISSION_DENIED' };
    await assert.rejects(connect(t, server, other).getModelStatistics('topics'), denied);
    await assert.rejects(connect(t, server, ops).getModelStatistics('topics'), denied);
    await assert.rejects(client.getModelStatistics('nobody'), { code: 'NOT_FOUND' });
    for (const version of ['7', 'challenger'])
      await assert.rejects(client.getModelStatistics('topics', { version }), { code: 'NOT_FOUND' });
    const refused = [client.getModelStatistics(''), client.getModelStatistics('topics', { version: '01' })];
    for (const call of refused) await assert.rejects(call, { code: 'INVALID_ARGUMENT' });
  });

  it('are told on the command line', async (t) => {
    const { server } = await serve(t);
    await connect(t, server).classify('the coach');
    const run = (...args: string[]) =>
      runToEnd('dist/src/cli/main.js', ['models', 'stats', ...args, '--address', server.address]);
    const { code, stdout, stderr } = await run();
    assert.equal(code, 0, stderr);
    const told = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      told.map(({ model, version, answered }) => [model, version, answered]),
      [
        ['topics', '2', 1],
        ['topics', '1', 0],
      ],
    );
    assert.equal(JSON.parse((await run('topics', '--version', '1')).stdout).version, '1');
    for (const [args, words] of [
      [['topics', 'pairs'], /give one model/],
      [['--version', '1'], /give the model/],
      [['nobody'], /there is no model nobody/],
    ] as const) {
      const failed = await run(...args);
      assert.notEqual(failed.code, 0);
      assert.match(failed.stderr, words);
    }
  });
});

describe('inputs that come by an alias', () => {
  it('are counted by it while it is there', async (t) => {
    const { server } = await serve(t);
    const client = connect(t, server);
    await client.setAlias('topics', 'champion', '1');
    const count = (status: string) =>
      server.metric('verdict_alias_inputs_total', { model: 'topics', alias: 'champion', status });
    assert.equal(await count('success'), 0);
    await client.classify('the coach', { version: 'champion' });
    await client.classify('the coach', { version: 'champion' });
    await client.classify('the coach', { version: '1' });
    await client.classifyBatch(['a match', 'the law'], { version: 'champion' });
    for await (const result of client.classifyStream([{ text: 'a soup', version: 'champion' }]))
      assert.ok(result.ok);
    assert.deepEqual([await count('success'), await count('cache_hit'), await count('error')], [4, 1, 0]);
    await client.setAlias('topics', 'champion', '2');
    await client.classify('the coach', { version: 'champion', cache: 'bypass' });
    assert.equal(await count('success'), 5, 'it counts on under another version');
    await client.deleteAlias('topics', 'champion');
    const page = await (await fetch(`${server.adminUrl}/metrics`)).text();
    assert.doesNotMatch(page, /champion/);
  });
});
