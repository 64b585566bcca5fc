import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TraceFlags } from '@opentelemetry/api';
import { Sampling } from '../../../src/tracing/sampling.js';

const asked = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: TraceFlags.SAMPLED };
const declined = { ...asked, traceFlags: TraceFlags.NONE };

/** Counts what callers asked for in vain. */
function sampling(ratio: number, askedPerMinute: number, random = () => 0.5) {
  const counts = { refused: 0 };
  const hooks = { onRequestRefused: () => void counts.refused++ };
  return { counts, sampling: new Sampling({ ratio, askedPerMinute }, hooks, random) };
}

describe('a call is traced', () => {
  it('by the ratio, if its caller has decided nothing', () => {
    const draws = [0, 0.24, 0.25, 0.99];
    const { sampling: quarter } = sampling(0.25, 0, () => draws.shift() ?? 1);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => quarter.isSampled(undefined, 0)),
      [true, true, false, false],
    );
  });

  it('never with a ratio of 0, always with a ratio of 1', () => {
    assert.equal(sampling(0, 0, () => 0).sampling.isSampled(undefined, 0), false);
    assert.equal(sampling(1, 0, () => 1 - 2 ** -53).sampling.isSampled(undefined, 0), true);
  });

  it('not, if its caller has decided so, whatever the ratio', () => {
    assert.equal(sampling(1, 600).sampling.isSampled(declined, 0), false);
  });

  it('if its caller asks, as often as callers may, and again when time has passed', () => {
    const { sampling: limited, counts } = sampling(0, 60);
    const sampled = Array.from({ length: 100 }, () => limited.isSampled(asked, 0)).filter(Boolean);
    assert.equal(sampled.length, 60);
    assert.equal(counts.refused, 40);
    assert.equal(limited.isSampled(asked, 999), false);
    assert.equal(limited.isSampled(asked, 1000), true);
    assert.equal(limited.isSampled(asked, 1000), false);
  });

  it('by chance beyond that: an id that its caller has chosen makes no difference', () => {
    const { sampling: open, counts } = sampling(0.01, 0, () => 0.5);
    for (const traceId of ['0'.repeat(31) + 1, 'f'.repeat(32), '8'.repeat(32)])
      assert.equal(open.isSampled({ ...asked, traceId }, 0), false);
    assert.equal(counts.refused, 3);
    assert.equal(sampling(1, 0).sampling.isSampled(asked, 0), true);
  });
});
