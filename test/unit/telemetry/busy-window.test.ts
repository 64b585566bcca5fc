import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { BusyWindow } from '../../../src/telemetry/busy-window.js';

describe('BusyWindow', () => {
  let busyMs: number;
  let instances: number;
  let waitMs: number;
  let window: BusyWindow;
  beforeEach(() => {
    busyMs = 0;
    instances = 1;
    waitMs = 0;
    window = new BusyWindow(
      { busyMs: () => busyMs, instances: () => instances, predictedWaitMs: () => waitMs },
      30_000,
    );
  });

  it('is 0 before anything was sampled', () => {
    assert.equal(window.ratio(10), 0);
  });

  it('forgets what lies before its span', () => {
    window.sample(0);
    for (let second = 1; second <= 60; second++) {
      if (second > 30) busyMs += 500;
      window.sample(second * 1000);
    }
    assert.equal(window.ratio(60_000), 0.5);
  });

  it('shares the time among the instances, and is 0 while there is none', () => {
    window.sample(0);
    busyMs = 1000;
    instances = 4;
    assert.equal(window.ratio(1000), 0.25);
    instances = 0;
    assert.equal(window.ratio(1000), 0);
  });

  it('utilises by the larger one of the busy share and the mean wait over its objective', () => {
    assert.equal(window.utilization(0, 100), 0);
    window.sample(0);
    busyMs = 600;
    assert.equal(window.utilization(1000, 100), 0.6);
    waitMs = 500;
    window.sample(1000);
    assert.equal(window.meanWaitMs(), 250);
    assert.equal(window.utilization(1000, 100), 2.5);
    assert.equal(window.utilization(1000, 1000), 0.6);
  });

  it('stays between 0 and 1 when instances come and go', () => {
    window.sample(0);
    busyMs = 5000;
    assert.equal(window.ratio(1000), 1);
    busyMs = -5000;
    assert.equal(window.ratio(1000), 0);
  });
});
