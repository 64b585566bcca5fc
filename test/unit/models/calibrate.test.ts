import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { takes } from '../../../src/models/calibrate.js';
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
