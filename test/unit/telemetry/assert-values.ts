import assert from 'node:assert/strict';
import type { Exposition } from '../../../src/telemetry/types.js';

/** Asserts on lines of an exposition: series to value; undefined where there must be no such series. */
export async function assertValues(
  source: { metrics(): Promise<Exposition> },
  expected: Readonly<Record<string, number | undefined>>,
): Promise<void> {
  const lines = (await source.metrics()).body.split('\n');
  for (const [series, value] of Object.entries(expected)) {
    const line = lines.find((candidate) => candidate.startsWith(`${series} `));
    assert.equal(line === undefined ? undefined : Number(line.slice(series.length)), value, series);
  }
}
