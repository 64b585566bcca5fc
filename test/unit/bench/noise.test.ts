import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { disturbanceWarnings, parseMachineTicks, watchDisturbance } from '../../../bench/noise.js';

const quiet = { loadBefore: 0.1, othersShare: 0.02, stealShare: 0 };

describe('the disturbance of a scenario', () => {
  it('warns of nothing on a quiet machine', () => {
    assert.deepEqual(disturbanceWarnings(quiet), []);
  });

  it('warns of a load before the start, of other processes and of other machines', () => {
    assert.deepEqual(disturbanceWarnings({ loadBefore: 1.25, othersShare: 0.34, stealShare: 0.11 }), [
      'the load before the start was 1.25 per core',
      'other processes took 34 % of the CPU',
      'other machines took 11 % of the CPU',
    ]);
  });

  it('warns that nothing is known where the kernel tells nothing', () => {
    const unknown = { ...quiet, othersShare: Number.NaN, stealShare: Number.NaN };
    assert.deepEqual(disturbanceWarnings(unknown), ['what else the machine did is not known']);
  });

  it('is shares of a whole', () => {
    const { othersShare, stealShare } = watchDisturbance(0)();
    for (const share of [othersShare, stealShare]) {
      assert.ok(Number.isNaN(share) || (share >= 0 && share <= 1), String(share));
    }
  });
});

describe('the ticks of the machine', () => {
  it('count user, nice, system and interrupts as busy, guests once', () => {
    const stat = 'cpu  100 20 30 400 50 6 7 8 90 10\ncpu0 1 2 3\n';
    assert.deepEqual(parseMachineTicks(stat), { busy: 163, steal: 8, total: 621 });
  });
});
