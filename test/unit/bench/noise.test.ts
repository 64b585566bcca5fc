import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  disturbanceWarnings,
  foreignCpu,
  parseMachineTicks,
  takenByOthers,
  watchForeignCpu,
} from '../../../bench/noise.js';

const quiet = { takenBefore: 0.01, othersShare: 0.02, stealShare: 0 };

describe('the disturbance of a scenario', () => {
  it('warns of nothing on a quiet machine', () => {
    assert.deepEqual(disturbanceWarnings(quiet), []);
  });

  it('warns of what others took before the start, of other processes and of other machines', () => {
    assert.deepEqual(disturbanceWarnings({ takenBefore: 0.25, othersShare: 0.34, stealShare: 0.11 }), [
      'others took 25 % of the CPU just before the start',
      'other processes took 34 % of the CPU',
      'other machines took 11 % of the CPU',
    ]);
  });

  it('warns that nothing is known where the kernel tells nothing', () => {
    const unknown = { ...quiet, othersShare: Number.NaN, stealShare: Number.NaN };
    assert.deepEqual(disturbanceWarnings(unknown), ['what else the machine did is not known']);
  });

  it('is shares of a whole', () => {
    const { othersShare, stealShare } = watchForeignCpu()();
    for (const share of [othersShare, stealShare]) {
      assert.ok(Number.isNaN(share) || (share >= 0 && share <= 1), String(share));
    }
  });

  it('is what was busy and not its own', () => {
    const before = { machine: { busy: 1_000, steal: 10, total: 5_000 }, ownMs: 2_000 };
    // 200 ticks of 400, 150 of them its own.
    const after = { machine: { busy: 1_200, steal: 50, total: 5_400 }, ownMs: 3_500 };
    assert.deepEqual(foreignCpu(before, after), { othersShare: 0.125, stealShare: 0.1 });
    assert.deepEqual(foreignCpu(before, before), { othersShare: 0, stealShare: 0 });
  });

  it('ends its look at the machine when it is interrupted', async () => {
    await assert.rejects(takenByOthers(60_000, AbortSignal.timeout(1)), { name: 'AbortError' });
  });
});

describe('the ticks of the machine', () => {
  it('count user, nice, system and interrupts as busy, guests once', () => {
    const stat = 'cpu  100 20 30 400 50 6 7 8 90 10\ncpu0 1 2 3\n';
    assert.deepEqual(parseMachineTicks(stat), { busy: 163, steal: 8, total: 621 });
  });
});
