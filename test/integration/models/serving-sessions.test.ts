import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import type { CostSample } from '../../../src/cost/cost-curve.js';
import { modelDigest } from '../../../src/models/digest.js';
import { readGolden } from '../../../src/models/golden.js';
import type { InstanceGroup } from '../../../src/models/instance-group.js';
import { readManifest } from '../../../src/models/manifest.js';
import { type ServingOptions, startServing } from '../../../src/models/serving-sessions.js';
import { TextPreprocessor, textFeeds } from '../../../src/preprocessing/text-preprocessor.js';
import { TokenizerPool } from '../../../src/tokenizer/tokenizer-pool.js';
import { isAlive } from '../../support/child-processes.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { until } from '../../support/until.js';

const options: ServingOptions = {
  device: 'cpu',
  deviceId: 0,
  precision: 'fp32',
  instances: 0,
  intraOpThreads: 2,
  splitFromMs: 4,
  openTimeoutMs: 30_000,
  runTimeoutMs: 30_000,
  backoff: { initialMs: 100, maxMs: 1_000, stableMs: 1_000 },
};

/** As if a text of ten tokens took this long. */
const samples = (runMs: number): CostSample[] =>
  [10, 20, 40, 80].map((tokens) => ({ items: 1, tokens, runMs: (runMs * tokens) / 10 }));

/** Starts real sessions of a small model, told that a text takes `runMs`, and the samples that `measure` gives. */
async function serve(
  runMs: number,
  measure: (group: InstanceGroup) => Promise<readonly CostSample[]>,
  given: Partial<ServingOptions> = {},
  signal = new AbortController().signal,
) {
  const directory = resolve('test/fixtures/models/topics/1');
  const manifest = await readManifest('topics', '1', directory);
  const golden = await readGolden(manifest.goldenPath, manifest.labels);
  const pool = new TokenizerPool({ workers: 1 });
  const started: number[] = [];
  const refusals: string[] = [];
  const runtimeHooks = { onInstanceReady: ({ pid }: { pid: number }) => void started.push(pid) };
  try {
    const preprocessor = pool.load(manifest).then((tokenizer) => new TextPreprocessor(tokenizer));
    const serving = startServing(
      { manifest, golden, feeds: textFeeds(0), preprocessor, runtimeHooks },
      { ...options, ...given },
      { measure, takes: (limitMs) => Promise.resolve(runMs >= limitMs) },
      { onSplitRefused: ({ reason }) => refusals.push(reason) },
      signal,
    );
    return { sessions: await serving.catch((error: unknown) => ({ error })), started, refusals };
  } finally {
    await pool.close();
  }
}

describe('startServing', () => {
  it('replaces a session by none whose weights have changed meanwhile, until they are back', async (t) => {
    const directory = join(temporaryFolder(t), '1');
    await cp('test/fixtures/models/topics/1', directory, { recursive: true });
    const manifest = await readManifest('topics', '1', directory);
    const pool = new TokenizerPool({ workers: 1 });
    t.after(() => pool.close());
    const preprocessor = pool.load(manifest).then((tokenizer) => new TextPreprocessor(tokenizer));
    const lost: string[] = [];
    const { shared, close } = await startServing(
      {
        manifest,
        golden: undefined,
        feeds: textFeeds(0),
        preprocessor,
        runtimeHooks: { onInstanceLost: ({ reason }) => void lost.push(reason) },
      },
      { ...options, instances: 1 },
      {
        measure: async (group) => {
          await modelDigest(manifest, group.precision, group.proof.batching, await preprocessor);
          return samples(1);
        },
        takes: () => Promise.resolve(false),
      },
      {},
      new AbortController().signal,
    );
    t.after(() => close());
    const path = join(directory, 'onnx/model.onnx');
    const before = await readFile(path);
    const after = Buffer.from(before);
    after.writeUInt8(after.readUInt8(after.length >> 1) ^ 1, after.length >> 1);
    await writeFile(path, after);
    shared.first.kill('killed by a test');
    await until('its successor is refused', () => lost.some((reason) => /has changed since/.test(reason)));
    assert.equal(shared.counts.ready, 0);
    await writeFile(path, before);
    await until('the former weights serve again', () => shared.counts.ready === 1);
  });

  it('divides the sessions of a model that takes as long as is worth it', async () => {
    const { sessions, started } = await serve(4, () => Promise.resolve(samples(4)));
    assert.ok('shared' in sessions);
    assert.deepEqual([sessions.shared.counts.wanted, sessions.lone?.counts.wanted], [2, 1]);
    assert.equal(started.length, 3);
    await sessions.close();
    await until('all processes have ended', () => !started.some(isAlive));
  });

  it('leaves a quick model with one session, one thread likewise, and as many as were asked for', async () => {
    const cases: [number, Partial<ServingOptions>, number][] = [
      [3.9, {}, 1],
      [40, { intraOpThreads: 1 }, 1],
      [40, { instances: 1 }, 1],
      [40, { instances: 2 }, 2],
    ];
    for (const [runMs, given, wanted] of cases) {
      const { sessions, started } = await serve(runMs, () => Promise.resolve(samples(runMs)), given);
      assert.ok('shared' in sessions);
      assert.deepEqual([sessions.lone, started.length], [undefined, wanted]);
      await sessions.close();
    }
  });

  it('serves with the samples of the sessions that share the work', async () => {
    let times = 0;
    const { sessions } = await serve(10, () => Promise.resolve(samples(++times * 10)));
    assert.ok('shared' in sessions);
    assert.deepEqual(sessions.samples, samples(20));
    await sessions.close();
  });

  it('keeps the first session where the others cannot be had, and says why', async () => {
    let times = 0;
    const { sessions, started, refusals } = await serve(10, () => {
      times += 1;
      return times === 1 ? Promise.resolve(samples(10)) : Promise.reject(new Error('no memory'));
    });
    assert.ok('shared' in sessions);
    assert.deepEqual([sessions.lone, sessions.shared.counts.wanted], [undefined, 1]);
    assert.deepEqual(refusals, ['no memory']);
    const [first, ...others] = started;
    await until('the other processes have ended', () => !others.some(isAlive));
    assert.ok(isAlive(first ?? 0));
    await sessions.close();
  });

  it('leaves nothing running when it is given up, at whichever measurement', async () => {
    for (const stopAt of [1, 2]) {
      const stop = new AbortController();
      let times = 0;
      const { sessions, started } = await serve(
        10,
        (group) => {
          times += 1;
          if (times < stopAt) return Promise.resolve(samples(10));
          stop.abort(new Error('stopped'));
          return group.first.lost.then(() => Promise.reject(new Error('the session is gone')));
        },
        {},
        stop.signal,
      );
      assert.ok('error' in sessions && sessions.error instanceof Error);
      assert.equal(sessions.error.message, 'stopped');
      await until('all processes have ended', () => !started.some(isAlive));
    }
  });

  it('leaves nothing running when the first measurement fails', async () => {
    const { sessions, started } = await serve(10, () => Promise.reject(new Error('no runs')));
    assert.ok('error' in sessions && sessions.error instanceof Error);
    assert.equal(sessions.error.message, 'no runs');
    await until('all processes have ended', () => !started.some(isAlive));
  });
});
