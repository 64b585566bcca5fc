import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CachedPass } from '../../../bench/load/cached-pass.js';
import { zipfFindings } from '../../../bench/scenarios/zipf-findings.js';

/** A pass of so many texts, so many of them hits, in so many milliseconds. */
function pass(texts: number, hits: number, elapsedMs: number, joined = 0): CachedPass {
  return {
    elapsedMs,
    latenciesMs: Array.from({ length: texts }, (_, i) => i),
    failed: 0,
    firstFailure: undefined,
    bySource: { computed: texts - hits - joined, joined, cache: hits, unknown: 0 },
    textsPerSecond: (1000 * texts) / elapsedMs,
    hitRatio: hits / texts,
    memoryHitRatio: hits / texts / 2,
    serverMsPerText: elapsedMs / texts,
  };
}

describe('what the passes of Zipf traffic say', () => {
  const cold = [
    { peer: pass(100, 20, 8_000), own: pass(100, 10, 2_000, 10) },
    { peer: pass(50, 40, 1_000), own: pass(50, 40, 1_000) },
  ];
  const steady = [
    { peer: pass(150, 150, 300), own: pass(150, 150, 100), stream: pass(150, 150, 30) },
    { peer: pass(150, 150, 200), own: pass(150, 150, 100), stream: pass(150, 150, 20) },
  ];
  const { measurements, rounds } = zipfFindings(
    { title: 'base fp32', threads: 2, count: 80, requests: 150, steadyRequests: 600 },
    cold,
    steady,
  );
  const found = (name: RegExp) => measurements.find((measurement) => name.test(measurement.name));
  const near = (actual: readonly number[] | undefined, wanted: readonly number[]) =>
    assert.deepEqual(
      actual?.map((value) => value.toFixed(6)),
      wanted.map((value) => value.toFixed(6)),
    );

  it('hold both states against a bar each', () => {
    assert.deepEqual(
      measurements.flatMap(({ bar }) => bar ?? []),
      ['fastapi-zipf', 'fastapi-zipf-steady'],
    );
  });

  it('take the pieces from empty caches for one pass', () => {
    const whole = found(/from empty caches: Verdict \/ FastAPI/);
    near(whole?.values, [3]);
    near(found(/From empty caches: .*cache answered, FastAPI/)?.values, [60 / 150]);
    near(found(/From empty caches: .*cache answered, Verdict/)?.values, [50 / 150]);
    near(found(/From empty caches: .*joined/)?.values, [10 / 150]);
  });

  it('look for drift in what FastAPI computed, not in its hits', () => {
    near(found(/from empty caches: Verdict \/ FastAPI/)?.reference, [10, 10]);
  });

  it('compare the rounds of the steady state one by one', () => {
    near(found(/unary.* steady state: Verdict \/ FastAPI, throughput/)?.values, [3, 2]);
    near(found(/one stream.* steady state: Verdict \/ FastAPI, throughput/)?.values, [10, 10]);
    near(found(/CPU time .*unary/)?.values, [3, 2]);
    near(found(/its own memory answered/)?.values, [0.5, 0.5]);
  });

  it('keep every pass', () => {
    assert.deepEqual(
      rounds.map((round) => round.steady),
      [0, 0, 1, 1],
    );
  });
});
