import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Allowance } from '../../../src/ratelimit/allowance.js';

describe('an allowance', () => {
  it('gives a whole minute at once, and then one unit after the other', () => {
    const allowance = new Allowance(100);
    for (let unit = 0; unit < 100; unit++) {
      assert.equal(allowance.waitMs(1, 1_000), 0, `unit ${unit}`);
      allowance.spend(1, 1_000);
    }
    assert.equal(Math.round(allowance.waitMs(1, 1_000)), 600);
    assert.equal(allowance.waitMs(1, 1_601), 0);
    allowance.spend(1, 1_601);
    assert.equal(Math.round(allowance.waitMs(1, 1_601)), 599);
  });

  it('gives no more than a minute to a caller that was quiet for an hour', () => {
    const allowance = new Allowance(3);
    allowance.spend(3, 0);
    assert.equal(allowance.waitMs(3, 3_600_000), 0);
    allowance.spend(3, 3_600_000);
    assert.equal(allowance.waitMs(1, 3_600_000), 20_000);
  });

  it('never exceeds its rate by more than one minute, whatever the steps', () => {
    const perMinute = 7;
    const allowance = new Allowance(perMinute);
    let spent = 0;
    for (let now = 0; now <= 600_000; now += 37) {
      if (allowance.waitMs(1, now) > 0) continue;
      allowance.spend(1, now);
      spent++;
    }
    assert.ok(spent <= 11 * perMinute && spent >= 11 * perMinute - 2, String(spent));
  });

  it('lets units be owed, and waits until they are back', () => {
    const allowance = new Allowance(60);
    allowance.spend(90, 0);
    assert.equal(allowance.waitMs(0, 0), 30_000);
    assert.equal(allowance.waitMs(0, 30_000), 0);
    assert.equal(allowance.waitMs(1, 30_000), 1_000);
  });

  it('says at once that more than a minute can never be had', () => {
    assert.equal(new Allowance(10).waitMs(11, 0), Number.POSITIVE_INFINITY);
    assert.equal(new Allowance(10).waitMs(10, 0), 0);
  });

  it('goes on where another one was', () => {
    const half = new Allowance(10);
    half.spend(5, 0);
    const doubled = new Allowance(20);
    doubled.continue(half);
    assert.equal(doubled.waitMs(10, 0), 0);
    assert.equal(doubled.waitMs(11, 0), 3_000);
  });
});
