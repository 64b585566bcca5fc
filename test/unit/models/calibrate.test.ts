import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { type CalibrationOptions, calibrate, takes } from '../../../src/models/calibrate.js';
import type { RunResult } from '../../../src/runtime/types.js';

const preprocessor = { ofCost: (cost: number) => Promise.resolve({ cost, tensors: {}, truncated: false }) };

/** Whether a model whose runs take so long counts as one whose text takes 4 ms, and how many runs that took. */
async function judged(runMs: (run: number) => number): Promise<{ isSlow: boolean; runs: number }> {
  let [now, runs] = [0, 0];
  const clock = mock.method(performance, 'now', () => now);
  const run = (): Promise<RunResult> => {
    now += runMs(runs++);
    return Promise.resolve({ logits: [], runMs: 0 });
  };
  try {
    return { isSlow: await takes(4, 10, run, preprocessor), runs };
  } finally {
    clock.mock.restore();
  }
}

describe('whether a text takes so long', () => {
  it('is so if every run does', async () => {
    assert.equal((await judged(() => 4)).isSlow, true);
  });

  it('is not so if the machine was busy with something else during some of them', async () => {
    assert.deepEqual(await judged((run) => (run < 5 ? 30 : 1)), { isSlow: false, runs: 6 });
  });

  it('costs a quick model one run', async () => {
    assert.deepEqual(await judged(() => 1), { isSlow: false, runs: 1 });
  });
});

describe('a calibration', () => {
  /** The samples of runs that take 1 ms for each token, the number of all runs, and the rests between them. */
  async function sweep(options: Partial<CalibrationOptions>) {
    let [now, runs] = [0, 0];
    const rests: number[] = [];
    const clock = mock.method(performance, 'now', () => now);
    try {
      const samples = await calibrate(
        async (batch) => {
          runs++;
          now += batch.reduce((sum, { cost }) => sum + cost, 0);
          return { logits: [], runMs: 0 };
        },
        preprocessor,
        {
          timeLimitMs: 0,
          maxItems: 256,
          rest: async (ranMs) => {
            rests.push(ranMs);
            now += ranMs;
          },
          ...options,
        },
      );
      return { samples, runs, rests };
    } finally {
      clock.mock.restore();
    }
  }

  it('rests after each run for as long as is asked, and counts no rest', async () => {
    const { samples, runs, rests } = await sweep({});
    assert.deepEqual(
      samples.map(({ items, tokens, runMs }) => [items, tokens, runMs]),
      [
        [1, 8, 8],
        [1, 32, 32],
        [4, 16, 64],
        [8, 16, 128],
        [1, 128, 128],
      ],
    );
    assert.equal(rests.length, runs);
    assert.deepEqual(rests.slice(0, 4), [8, 8, 8, 32]);
  });

  it('ends with its fifth shape, or with the one at which the runs have taken their time, whatever the rests', async () => {
    // The first seven shapes take 3 x (8 + 32 + 64 + 128 + 128 + 256 + 256) ms.
    assert.equal((await sweep({ timeLimitMs: 2_615 })).samples.length, 7);
    assert.equal((await sweep({ timeLimitMs: 2_616 })).samples.length, 8);
  });

  it('takes the shortest of as many runs as it is told', async () => {
    assert.equal((await sweep({ timedRuns: 4 })).runs, 5 * 5);
    assert.equal((await sweep({})).runs, 5 * 3);
  });
});
