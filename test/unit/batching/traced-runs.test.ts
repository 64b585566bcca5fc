import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OutOfMemoryError, RunnerLostError, type TracedRun } from '../../../src/batching/types.js';
import { ToldStages } from '../../support/told-stages.js';
import { outcomeOf, setUp } from './batcher-setup.js';
import { ManualRunner } from './fake-runners.js';

function tracedSetUp() {
  const runs: TracedRun[] = [];
  const setup = setUp({}, { onTracedRun: (run) => runs.push(run) });
  const runner = new ManualRunner();
  setup.batcher.attach(runner);
  return { ...setup, runner, runs };
}

describe('traced runs', () => {
  test('tell which of their inputs are traced and how long each waited, and of the whole batch', async () => {
    const { clock, runner, runs, submit } = tracedSetUp();
    submit('busy');
    await clock.settle();
    const trace = new ToldStages();
    const answers = [submit('traced', 10, { trace }), submit('other', 8)];
    await clock.advance(7);
    runner.current.succeed();
    await clock.settle();
    assert.deepEqual(runs, []);
    await clock.advance(5);
    runner.current.succeed();
    await clock.settle();
    assert.deepEqual(await Promise.all(answers.map(outcomeOf)), ['traced', 'other']);
    assert.deepEqual(runs, [
      {
        ...{ members: [{ trace, queuedAt: 0 }], startedAt: 7, endedAt: 12 },
        ...{ items: 2, tokens: 18, paddedTokens: 20, reason: 'drained', outcome: 'ok' },
      },
    ]);
    // The run says how long it waited.
    assert.deepEqual(trace.stages, []);
  });

  for (const [error, outcome] of [
    [new RunnerLostError('killed'), 'lost'],
    [new OutOfMemoryError('too much'), 'out_of_memory'],
    [new Error('a bad row'), 'failed'],
  ] as const) {
    test(`that end as ${outcome} are told too`, async () => {
      const { clock, runner, runs, submit } = tracedSetUp();
      submit('a', 10, { trace: new ToldStages() });
      await clock.settle();
      runner.current.fail(error);
      await clock.settle();
      assert.deepEqual(
        runs.map((run) => run.outcome),
        [outcome],
      );
    });
  }

  test('are not waited for by an input that gives up: its trace shows the wait alone', async () => {
    const { clock, runner, runs, submit } = tracedSetUp();
    submit('busy');
    await clock.settle();
    const trace = new ToldStages();
    const late = submit('late', 10, { trace, deadlineAt: 9 });
    await clock.advance(9);
    assert.equal(await outcomeOf(late), 'deadline_exceeded DEADLINE_EXCEEDED');
    assert.deepEqual(trace.stages, [['queue', 0, 9]]);
    runner.current.succeed();
    await clock.settle();
    assert.deepEqual(runs, []);
  });
});
