import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setUp } from './batcher-setup.js';
import { ManualRunner } from './fake-runners.js';

/** One input on a clock that moves on by a millisecond at every look; how often the hook told of it. */
async function handOver(deadlineMs: number): Promise<{ started: boolean; told: number }> {
  let told = 0;
  const { batcher, clock, submit } = setUp({}, { onExpiredRun: () => told++ });
  const runner = new ManualRunner();
  let now = 1_000;
  clock.now = () => now++;
  batcher.attach(runner);
  submit('a', 10, { deadlineAt: now + deadlineMs });
  await clock.settle();
  const started = runner.log.length === 1;
  if (started) runner.current.succeed();
  await batcher.close(AbortSignal.abort());
  return { started, told };
}

describe('Batcher, deadlines at the hand-over', () => {
  it('tells of an input whose deadline passes while its batch is formed, and of no other', async () => {
    const outcomes = [];
    for (let deadlineMs = 0; deadlineMs < 40; deadlineMs++) outcomes.push(await handOver(deadlineMs));
    const swept = outcomes.findIndex(({ started }) => started);
    const inTime = outcomes.findIndex(({ told }, deadlineMs) => deadlineMs >= swept && told === 0);
    assert.ok(swept > 0, 'a deadline that has passed before keeps the input from the runner');
    assert.ok(inTime > swept, 'a deadline between the sweep and the hand-over is told');
    assert.deepEqual(
      outcomes.map(({ told }) => told),
      outcomes.map((_, deadlineMs) => (deadlineMs >= swept && deadlineMs < inTime ? 1 : 0)),
    );
  });
});
