import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import type { VersionStatistics } from '../../../src/statistics/types.js';
import { FakeVersion } from '../models/fake-version.js';
import { detailsOf } from './details.js';
import { Edge, modelView, TestCatalog, timeout, unary } from './edge.js';

const time = { inputs: 3, totalMs: 1.5 };
const counted: VersionStatistics = {
  ...{
    version: '2',
    since: 1_000,
    lastUsed: undefined,
    answered: 2 ** 40,
    failed: 3,
    cancelled: 1,
    tokens: 9,
  },
  failures: new Map([['deadline_exceeded', 3]]),
  cache: { miss: 1, lru: 2, redis: 3, coalesced: 4, bypassed: 5 },
  stages: { tokenize: time, queue: time, inference: time, postprocess: time, total: time },
  batches: {
    ...{ batches: 2, inputs: 3, tokens: 4, paddedTokens: 5, runMs: 0.25 },
    sizes: [{ atMost: 1, batches: 2 }],
  },
};
const other: VersionStatistics = { ...counted, version: '1', lastUsed: 2_500 };
const view = {
  ...modelView('tone', '2'),
  versions: [{ ...new FakeVersion('tone', '2').view, memoryBytes: 2 ** 33 }],
  aliases: [{ alias: 'champion', version: '1' }],
};
const parts = {
  catalog: new TestCatalog([view, modelView('mood', '1')]),
  statistics: { of: (model: string) => (model === 'tone' ? [counted, other] : []) },
};

describe('the statistics of a model', { timeout }, () => {
  const ask = async (model: string, version = '') => {
    let answer: Awaited<ReturnType<typeof call>> | undefined;
    const call = (edge: Edge) =>
      unary(edge.models.getModelStatistics.bind(edge.models), { model, version }, new Metadata());
    await Edge.run(parts, async (edge) => {
      answer = await call(edge);
    });
    assert.ok(answer !== undefined);
    return answer;
  };

  it('are those of all versions, with large counts and small times as they are', async () => {
    const { response } = await ask('tone');
    const stage = { inputs: 3n, totalMs: 1.5 };
    assert.deepEqual(response?.versions[0], {
      ...{ version: '2', since: new Date(1_000), lastUsed: undefined },
      ...{ answered: 2n ** 40n, failed: 3n, cancelled: 1n, tokens: 9n },
      failures: [{ code: 'DEADLINE_EXCEEDED', inputs: 3n }],
      cache: { miss: 1n, lru: 2n, redis: 3n, coalesced: 4n, bypassed: 5n },
      stages: { tokenize: stage, queue: stage, inference: stage, postprocess: stage, total: stage },
      batches: {
        ...{ batches: 2n, inputs: 3n, tokens: 4n, paddedTokens: 5n, runMs: 0.25 },
        sizes: [{ atMost: 1, batches: 2n }],
      },
      memoryBytes: 2n ** 33n,
    });
    const [, second] = response?.versions ?? [];
    assert.deepEqual([second?.lastUsed, second?.memoryBytes], [new Date(2_500), 0n]);
  });

  it('are those of one version, by its number or an alias', async () => {
    for (const [version, meant] of [
      ['2', '2'],
      ['champion', '1'],
    ] as const) {
      const { response } = await ask('tone', version);
      assert.deepEqual(
        response?.versions.map((one) => one.version),
        [meant],
      );
    }
  });

  it('are of models and versions that there are', async () => {
    assert.deepEqual((await ask('mood')).response?.versions, []);
    for (const [model, version, resource] of [
      ['nobody', '', { type: 'model', name: 'nobody' }],
      ['mood', '1', { type: 'version', name: 'mood/1' }],
      ['tone', 'challenger', { type: 'version', name: 'tone/challenger' }],
      ['tone', 'constructor', { type: 'version', name: 'tone/constructor' }],
    ] as const) {
      const { error } = await ask(model, version);
      assert.equal(error?.code, status.NOT_FOUND);
      assert.deepEqual(detailsOf(error).resource, resource);
    }
    for (const [model, version, fields] of [
      ['', '1e3', ['model', 'version']],
      ['Tone', '', ['model']],
      ['tone', '01', ['version']],
      ['tone', 'a'.repeat(65), ['version']],
    ] as const) {
      const { error } = await ask(model, version);
      assert.equal(error?.code, status.INVALID_ARGUMENT);
      assert.deepEqual(detailsOf(error).fields, fields);
    }
  });
});
