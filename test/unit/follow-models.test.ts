import assert from 'node:assert/strict';
import { it } from 'node:test';
import { lookDelayMs } from '../../src/app/follow-models.js';

it('a follower waits its interval, twice as long after each failure, and five minutes at most, or its interval', () => {
  assert.equal(lookDelayMs(30_000, 0, 1), 30_000);
  assert.equal(lookDelayMs(30_000, 0, 0), 24_000);
  assert.equal(lookDelayMs(30_000, 2, 1), 120_000);
  assert.equal(lookDelayMs(30_000, 1_000_000, 1), 300_000);
  assert.equal(lookDelayMs(3_600_000, 7, 1), 3_600_000);
});
