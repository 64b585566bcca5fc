import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Model } from '../../../generated/verdict/v1/model_service.js';
import type { GetModelStatisticsRequest } from '../../../generated/verdict/v1/model_statistics.js';
import { VersionStatistics } from '../../../generated/verdict/v1/model_statistics.js';
import { COMMANDS } from '../../../src/cli/commands.js';
import { run } from '../../../src/cli/run.js';
import { startTestServer } from '../client/test-server.js';
import { fakeContext } from './fake-context.js';

const used = VersionStatistics.fromPartial({
  ...{ version: '2', since: new Date(1_000), lastUsed: new Date(61_000), answered: 1_200n, failed: 3n },
  cache: { miss: 800n, lru: 200n, redis: 100n, coalesced: 100n },
  stages: { total: { inputs: 1_200n, totalMs: 6_000 }, queue: { inputs: 800n, totalMs: 2_000 } },
  batches: { batches: 100n, inputs: 800n, sizes: [{ atMost: 8, batches: 100n }] },
  memoryBytes: 86_400_000n,
});
const unused = VersionStatistics.fromPartial({ version: '1', since: new Date(1_000) });

/** Runs `verdict models stats` against a server with one model, and keeps what it was asked. */
async function stats(t: TestContext, argv: readonly string[], isTTY = false) {
  const asked: GetModelStatisticsRequest[] = [];
  const server = await startTestServer({
    listModels: () => ({ models: [Model.fromPartial({ name: 'tone' })] }),
    getModelStatistics(request) {
      asked.push(request);
      return { versions: [used, unused] };
    },
  });
  t.after(() => server.close());
  const context = fakeContext({ isTTY });
  const commandLine = { version: '0', commands: COMMANDS, serve: async () => 0 };
  const code = await run(['models', 'stats', '--address', server.address, ...argv], commandLine, context);
  return { code, asked, out: context.out(), err: context.err() };
}

describe('verdict models stats', () => {
  it('asks for all models, or for the one that is named, and its version', async (t) => {
    assert.deepEqual((await stats(t, [])).asked, [{ model: 'tone', version: '' }]);
    const { asked } = await stats(t, ['mood', '--version', 'champion']);
    assert.deepEqual(asked, [{ model: 'mood', version: 'champion' }]);
  });

  it('gives a pipe all that is counted, a version per line', async (t) => {
    const { code, out } = await stats(t, []);
    assert.equal(code, 0);
    const [first, second] = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      [first.model, first.answered, first.lastUsed, first.cache.lru, first.memoryBytes],
      ['tone', 1_200, '1970-01-01T00:01:01.000Z', 200, 86_400_000],
    );
    assert.deepEqual(first.batches.sizes, [{ atMost: 8, batches: 100 }]);
    assert.deepEqual([second.version, second.answered, second.memoryBytes], ['1', 0, 0]);
  });

  it('gives a terminal means and shares, and leaves out what there is none of', async (t) => {
    const { out } = await stats(t, [], true);
    assert.deepEqual(out.trimEnd().split('\n'), [
      'MODEL  VERSION  ANSWERED  CACHED  FAILED  TOTAL   QUEUE   R…',
      'tone   2        1,200     25%     3       5.0 ms  2.5 ms   …',
      'tone   1        0                 0                        …',
    ]);
  });

  it('refuses a version of all models, and two models', async (t) => {
    for (const [argv, words] of [
      [['--version', '1'], /give the model that the version is of/],
      [['tone', 'mood'], /give one model, or none for all/],
    ] as const) {
      const { code, err, asked } = await stats(t, argv);
      assert.deepEqual([code, asked], [2, []]);
      assert.match(err, words);
    }
  });
});
