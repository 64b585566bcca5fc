import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { Batcher } from '../../../src/batching/batcher.js';
import { CacheKeyer } from '../../../src/cache/key.js';
import { LruStore } from '../../../src/cache/lru-store.js';
import { TieredResultCache } from '../../../src/cache/tiered-result-cache.js';
import { fitCostCurve } from '../../../src/cost/fit-cost-curve.js';
import { invalidField } from '../../../src/errors.js';
import { calibrate } from '../../../src/models/calibrate.js';
import { modelDigest } from '../../../src/models/digest.js';
import type { Golden } from '../../../src/models/golden.js';
import type { GoldenCheck } from '../../../src/models/instance-group.js';
import type { ModelManifest } from '../../../src/models/manifest.js';
import { ModelVersion } from '../../../src/models/model-version.js';
import { startServing } from '../../../src/models/serving-sessions.js';
import { SessionRunner } from '../../../src/models/session-runner.js';
import { WeightFile } from '../../../src/models/weight-file.js';
import type { Preprocessor } from '../../../src/preprocessing/preprocessor.js';
import type { Encoded } from '../../../src/runtime/feeds.js';
import { patientClaim } from '../../support/patient-claim.js';

type Floats = readonly number[];

const SIZE = 4;

/** The model of test/fixtures/floats.onnx, worked out by hand. */
const logitsOf = ([a = 0, b = 0, c = 0, d = 0]: Floats) => [a + b / 2 - 2 * c + 0.25, 2 * b - a + d - 0.5];

/** Four numbers, which a model reads as they are: every input costs the same. */
const floats: Preprocessor<Floats> = {
  feeds: [{ kind: 'fixed', name: 'values', shape: [SIZE] }],
  maxCost: 1,
  digest: 'four numbers',
  keyOf: (input) => input.join(),
  estimate: () => 1,
  encode: async (input) => encoded(input),
  ofCost: async () => encoded([1, 2, 3, 4]),
  probes: async (known) => [[0, 0, 0, 0], [1, -1, 2, -2], [9, 8, 7, 6], ...known].map(encoded),
  close: () => {},
};

function encoded(input: Floats): Encoded {
  if (input.length !== SIZE) throw invalidField('values', `must hold ${SIZE} numbers`);
  return { cost: 1, truncated: false, tensors: { values: Float32Array.from(input) } };
}

async function manifestOf(path: string): Promise<ModelManifest> {
  const files = [await WeightFile.record(path)];
  return {
    ...{
      name: 'floats',
      version: '1',
      directory: '',
      modelType: undefined,
      labels: ['LOW', 'HIGH'],
      maxTokens: 1,
      padId: undefined,
      firstPosition: 0,
    },
    ...{ problemType: 'single_label_classification', defaultTruncation: 'end' },
    ...{ tokenizerJsonPath: '', tokenizerConfigPath: '', goldenPath: '' },
    moderation: undefined,
    weights: { fp32: { path, files, facts: {}, problem: undefined } },
  };
}

describe('an input that is no text', () => {
  it('is proven, calibrated, batched, run and cached as texts are: its preprocessor is all there is to it', async (t) => {
    const manifest = await manifestOf(resolve('test/fixtures/floats.onnx'));
    const known: Floats = [0.5, 1.5, -2, 3];
    const golden: Golden<Floats> = {
      tolerance: { fp32: 1e-5 },
      entries: [
        { input: known, cost: 1, tensors: { values: known }, truncated: false, logits: logitsOf(known) },
      ],
    };
    const checks: GoldenCheck[] = [];
    const sessions = await startServing(
      {
        manifest,
        golden,
        feeds: floats.feeds,
        preprocessor: Promise.resolve(floats),
        runtimeHooks: {},
      },
      {
        ...{
          device: 'cpu',
          deviceId: 0,
          precision: 'auto',
          instances: 1,
          intraOpThreads: 1,
          splitFromMs: 1e6,
        },
        ...{ openTimeoutMs: 30_000, runTimeoutMs: 30_000 },
        backoff: { initialMs: 100, maxMs: 1_000, stableMs: 1_000 },
      },
      {
        measure: ({ first }) =>
          calibrate((batch) => first.run(batch), floats, { timeLimitMs: 1_000, maxItems: 64 }),
        takes: () => Promise.resolve(false),
      },
      { onGoldenCheck: (check) => checks.push(check) },
      new AbortController().signal,
    );
    t.after(() => sessions.close());
    assert.deepEqual(
      checks.map(({ report }) => [report.ok, report.entries]),
      [[true, 1]],
    );
    assert.equal(sessions.shared.proof.batching, 'padded');
    assert.deepEqual(
      sessions.samples.map(({ items, tokens }) => [items, tokens]),
      [1, 4, 8, 2, 16, 32].map((items) => [items, 1]),
    );
    const batches: number[] = [];
    const batcher = new Batcher<Encoded, Float32Array>(
      {
        ...{ policy: 'length', budgetTokens: 16, maxBatchItems: 64, maxQueueItems: 64, maxQueueTokens: 64 },
        ...{ maxDelayMs: 0, interactiveWeight: 4, maxRunMs: 0, maxRunPercent: 0, lookAhead: 64 },
        ...{ maxAgeMs: 1_000, noRunnerGraceMs: 1_000 },
        costCurve: fitCostCurve(sessions.samples) ?? assert.fail('nothing was measured'),
      },
      { onBatch: ({ items }) => batches.push(items) },
    );
    sessions.shared.connect(
      (session) => batcher.attach(new SessionRunner(session)),
      () => {},
    );
    const { proof } = sessions.shared;
    const keys = new CacheKeyer(await modelDigest(manifest, 'fp32', proof.batching, floats));
    const version = new ModelVersion<Floats>({
      ...{ manifest, precision: 'fp32', device: 'cpu', proof, digest: '', preprocessor: floats, batcher },
      ...{ folderIdentity: '', golden, flips: undefined },
      instances: () => sessions.shared.counts,
      pids: () => sessions.shared.pids,
      preparationTrouble: () => '',
      samples: sessions.samples,
      calibratedCurve: { baseMs: 0, msPerToken: 0, msPerTokenSquared: 0 },
      cacheKey: (input, truncation) => keys.key(floats.keyOf(input), truncation),
      closeInstances: (force) => sessions.close(force),
    });
    const cache = new TieredResultCache({ lru: new LruStore({ maxBytes: 1e6 }) });
    const ask = async (input: Floats) =>
      cache.resolve(version.cacheKey(input, 'end', ''), version.entryShape, 'use', patientClaim(), (flight) =>
        version.compute(input, 'end', flight),
      );

    const inputs = Array.from({ length: 20 }, (_, index): Floats => [index, 1 - index, index / 4, 7]);
    const answers = await Promise.all(inputs.map(ask));
    for (const [index, { entry, outcome }] of answers.entries()) {
      assert.deepEqual(Array.from(entry.logits), logitsOf(inputs[index] ?? []));
      assert.deepEqual([outcome, entry.tokenCount], ['miss', 1]);
    }
    assert.ok(Math.max(...batches) > 1, 'inputs that wait together run together');
    const { outcome } = await ask(inputs[3] ?? []);
    assert.equal(outcome, 'lru');
    await assert.rejects(ask([1, 2, 3]), {
      code: 'invalid_argument',
      message: 'values: must hold 4 numbers',
    });
    assert.equal(version.state, 'serving');
    await version.close(new AbortController().signal);
  });
});
