import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { VerdictError } from '../../../src/errors.js';
import type { EndedInput } from '../../../src/statistics/input-counts.js';
import { ModelStatistics } from '../../../src/statistics/model-statistics.js';

const timings = { tokenizeMs: 1, queueMs: 30, inferenceMs: 4, batchSize: 2 };
const input: EndedInput = {
  ...{ model: 'tone', version: '2', alias: '', outcome: 'miss', tokens: 7, totalMs: 40, timings },
  ...{ postprocessMs: 0.5, serviceClass: 'bulk', trace: undefined },
};
const batch = { items: 1, tokens: 7, paddedTokens: 8, longest: 7, reason: 'drained', runMs: 4 } as const;

describe('what is counted for versions', () => {
  let clock: number;
  let statistics: ModelStatistics;

  beforeEach(() => {
    clock = 1_000;
    statistics = new ModelStatistics(() => clock);
    statistics.version('tone', '2');
  });

  const only = (model = 'tone') => {
    const [version, ...others] = statistics.of(model);
    assert.deepEqual(others, []);
    assert.ok(version !== undefined);
    return version;
  };
  const failed = (code: 'cancelled' | 'unavailable' | 'deadline_exceeded') =>
    new VerdictError(code, 'no', { reason: 'NO' });

  it('begins with nothing, and says since when', () => {
    const none = { inputs: 0, totalMs: 0 };
    assert.deepEqual(only(), {
      ...{ version: '2', since: 1_000, lastUsed: undefined, answered: 0, failed: 0, cancelled: 0, tokens: 0 },
      failures: new Map(),
      cache: { miss: 0, lru: 0, redis: 0, coalesced: 0, bypassed: 0 },
      stages: { tokenize: none, queue: none, inference: none, postprocess: none, total: none },
      batches: { batches: 0, inputs: 0, tokens: 0, paddedTokens: 0, runMs: 0, sizes: [] },
    });
    assert.deepEqual(statistics.of('nobody'), []);
  });

  it('are inputs by where their answers came from; only those that were computed for the caller have stages', () => {
    for (const outcome of ['miss', 'bypassed', 'coalesced', 'lru', 'redis', 'lru'] as const) {
      clock++;
      statistics.onInput({ ...input, outcome });
    }
    const { answered, tokens, cache, stages, lastUsed } = only();
    assert.deepEqual([answered, tokens, lastUsed], [6, 42, 1_006]);
    assert.deepEqual(cache, { miss: 1, lru: 2, redis: 1, coalesced: 1, bypassed: 1 });
    assert.deepEqual(stages, {
      tokenize: { inputs: 2, totalMs: 2 },
      queue: { inputs: 2, totalMs: 60 },
      inference: { inputs: 2, totalMs: 8 },
      postprocess: { inputs: 6, totalMs: 3 },
      total: { inputs: 6, totalMs: 240 },
    });
  });

  it('are failures by code, apart from those who left', () => {
    const errors = [
      failed('unavailable'),
      failed('cancelled'),
      failed('deadline_exceeded'),
      new Error('defect'),
    ];
    for (const error of [...errors, failed('unavailable')])
      statistics.onInput({ ...input, outcome: 'error', timings: undefined, error });
    const { answered, failed: sum, cancelled, failures, tokens } = only();
    assert.deepEqual([answered, sum, cancelled, tokens], [0, 4, 1, 0]);
    assert.deepEqual(
      [...failures],
      [
        ['deadline_exceeded', 1],
        ['internal', 1],
        ['unavailable', 2],
      ],
    );
  });

  it('are batches by powers of two of their size, however large they are', () => {
    const batches = statistics.version('tone', '2');
    for (const items of [1, 2, 3, 4, 5, 8, 65_536]) batches.onBatch({ ...batch, items });
    const { sizes, ...sums } = only().batches;
    assert.deepEqual(sums, { batches: 7, inputs: 65_559, tokens: 49, paddedTokens: 56, runMs: 28 });
    assert.equal(sizes.length, 17);
    assert.deepEqual(
      sizes.filter(({ batches }) => batches > 0).map(({ atMost, batches }) => [atMost, batches]),
      [
        [1, 1],
        [2, 1],
        [4, 2],
        [8, 2],
        [65_536, 1],
      ],
    );
  });

  it('are counted for versions that there are, each for itself, and are gone with them', () => {
    statistics.version('tone', '10');
    statistics.version('mood', '2');
    for (const [model, version] of [
      ['tone', '10'],
      ['mood', '2'],
      ['tone', '7'],
      ['', ''],
      ['__proto__', 'constructor'],
    ] as const)
      statistics.onInput({ ...input, model, version });
    const told = (model: string) => statistics.of(model).map(({ version, answered }) => [version, answered]);
    assert.deepEqual(told('tone'), [
      ['10', 1],
      ['2', 0],
    ]);
    assert.deepEqual(told('mood'), [['2', 1]]);
    statistics.forget('tone', '10');
    statistics.forget('nobody', '1');
    assert.deepEqual(told('tone'), [['2', 0]]);
    clock = 9_000;
    statistics.version('tone', '10');
    assert.deepEqual(statistics.of('tone')[0]?.since, 9_000);
    assert.deepEqual(told('tone'), [
      ['10', 0],
      ['2', 0],
    ]);
  });

  it('go on where new content comes under the same number', () => {
    statistics.onInput(input);
    clock = 9_000;
    statistics.version('tone', '2').onBatch(batch);
    const { since, answered, batches } = only();
    assert.deepEqual([since, answered, batches.batches], [1_000, 1, 1]);
  });
});
