import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseTraceLine } from '../../../src/simulation/trace-line.js';
import { ArrivalTrace } from '../../../src/telemetry/arrival-trace.js';

/** The lines that a trace holds after `record` has used it. */
async function recorded(
  maxBytes: number,
  record: (trace: ArrivalTrace, turnTo: (ms: number) => void) => void,
): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'verdict-trace-'));
  try {
    const path = join(folder, 'trace.jsonl');
    let now = 1_000;
    const trace = new ArrivalTrace({ path, maxBytes, now: () => now });
    record(trace, (ms) => {
      now = ms;
    });
    await trace.close();
    return (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const unary = {
  tokens: 12,
  deadlineAt: 1_530,
  whenFull: 'refuse',
  serviceClass: 'interactive',
  flow: undefined,
} as const;
const streamed = {
  tokens: 40,
  deadlineAt: Number.POSITIVE_INFINITY,
  whenFull: 'wait',
  serviceClass: 'bulk',
} as const;

describe('an arrival trace', () => {
  test('is what the simulator reads', async () => {
    const stream = {};
    const lines = await recorded(10_000, (trace, turnTo) => {
      const hook = trace.hook('sentiment');
      turnTo(1_030);
      hook(unary);
      turnTo(1_040.25);
      hook({ ...streamed, flow: stream });
      hook({ ...streamed, flow: {} });
      hook({ ...streamed, flow: stream });
    });
    const read = lines.map((line, i) => parseTraceLine(line, i + 1));
    assert.deepEqual(read[0], {
      model: 'sentiment',
      arrival: {
        ...{ atMs: 0, tokens: 12, serviceClass: 'interactive', flow: undefined },
        ...{ deadlineMs: 500, whenFull: 'refuse' },
      },
    });
    assert.deepEqual(
      read.slice(1).map(({ arrival }) => [arrival.atMs, arrival.flow, arrival.deadlineMs, arrival.whenFull]),
      [1, 2, 1].map((flow) => [10.25, flow, Number.POSITIVE_INFINITY, 'wait']),
    );
  });

  test('ends before it is larger than allowed', async () => {
    const lines = await recorded(500, (trace) => {
      for (let i = 0; i < 1_000; i++) trace.hook('sentiment')(unary);
    });
    const bytes = lines.join('\n').length + 1;
    assert.ok(lines.length > 1 && bytes <= 500, `${bytes}`);
  });

  test('takes no more after it is closed', async () => {
    let late = (): void => undefined;
    const lines = await recorded(500, (trace) => {
      const hook = trace.hook('sentiment');
      late = () => hook(unary);
      hook(unary);
    });
    late();
    assert.equal(lines.length, 1);
  });
});
