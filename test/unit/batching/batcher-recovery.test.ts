import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  InputFailure,
  OutOfMemoryError,
  RunnerLostError,
  type ServiceClass,
} from '../../../src/batching/types.js';
import { VerdictError } from '../../../src/errors.js';
import { errorOf, outcomeOf, setUp } from './batcher-setup.js';
import { ManualRunner } from './fake-runners.js';

describe('the recovery of failed batches', () => {
  test('isolates the one row that fails, and answers all others', async () => {
    const { batcher, clock, events, submit } = setUp();
    const runner = new ManualRunner();
    batcher.attach(runner);
    const names = ['a', 'b', 'c', 'poison', 'e', 'f', 'g'];
    const submissions = names.map((name) => submit(name));
    await clock.settle();
    const late = submit('late');
    const cause = new Error('this row is bad');
    while (runner.runs.length > 0) {
      const run = runner.current;
      if (run.inputs.some((input) => input.name === 'poison')) run.fail(cause);
      else run.succeed();
      await clock.settle();
    }
    for (const [i, name] of names.entries()) {
      const submission = submissions[i];
      assert.ok(submission);
      if (name !== 'poison') assert.equal(await outcomeOf(submission), name);
      else {
        const error = await errorOf(submission);
        assert.deepEqual([error.code, error.reason], ['internal', 'INFERENCE_FAILED']);
        assert.equal(error.cause, cause);
        assert.ok(!error.message.includes('bad'));
      }
    }
    assert.equal(await outcomeOf(late), 'late');
    assert.deepEqual(runner.log.at(-1), ['late'], 'parts of a failed batch run before the queue');
    assert.ok(events.includes('retry:bisect'));
    assert.ok(events.includes('batch:3:bisected'));
  });

  test('runs an input without an answer once more alone, and then believes it', async () => {
    const failed: string[] = [];
    const { batcher, clock, events, submit } = setUp({}, { onFailed: (reason) => failed.push(reason) });
    const runner = new ManualRunner();
    batcher.attach(runner);
    const [a, odd, spoilt, alsoSpoilt] = ['a', 'odd', 'spoilt', 'also spoilt'].map((name) => submit(name));
    assert.ok(a && odd && spoilt && alsoSpoilt);
    await clock.settle();
    const none = () => new InputFailure(new VerdictError('internal', 'no answer', { reason: 'NO_ANSWER' }));
    // `odd` spoils whoever runs with it.
    while (runner.runs.length > 0) {
      const run = runner.current;
      const holdsOdd = run.inputs.some(({ name }) => name === 'odd');
      run.end(run.inputs.map(({ name }) => (holdsOdd && name !== 'a' ? none() : name)));
      await clock.settle();
    }
    assert.deepEqual(await Promise.all([a, spoilt, alsoSpoilt].map(outcomeOf)), [
      'a',
      'spoilt',
      'also spoilt',
    ]);
    assert.equal(await outcomeOf(odd), 'internal NO_ANSWER');
    assert.deepEqual(failed, ['NO_ANSWER']);
    assert.deepEqual(runner.log, [['a', 'odd', 'spoilt', 'also spoilt'], ['odd'], ['spoilt', 'also spoilt']]);
    assert.ok(events.includes('retry:bisect'));
  });

  test('puts an input back where it belongs by then: somebody more urgent waits for it', async () => {
    const { batcher, clock, submit } = setUp();
    const runner = new ManualRunner();
    batcher.attach(runner);
    const claim = { serviceClass: 'bulk' as ServiceClass, flow: {} };
    const [a, promoted, other] = [
      submit('a', 10, claim),
      submit('b', 10, claim),
      submit('c', 10, { ...claim }),
    ];
    assert.ok(a && promoted && other);
    await clock.settle();
    runner.current.fail(new Error('this batch is bad'));
    await clock.settle();
    // `b` and `c` are prepared, as the second half of the batch.
    claim.serviceClass = 'interactive';
    claim.flow = {};
    promoted.promote();
    runner.current.succeed();
    await clock.settle();
    runner.current.fail(new RunnerLostError('it is lost'));
    await clock.settle();
    const successor = new ManualRunner();
    batcher.attach(successor);
    await clock.settle();
    while (successor.runs.length > 0) {
      successor.current.succeed();
      await clock.settle();
    }
    assert.deepEqual(successor.log, [['b', 'c']], 'each runs once');
    assert.deepEqual(await Promise.all([a, promoted, other].map(outcomeOf)), ['a', 'b', 'c']);
    assert.deepEqual([batcher.queuedItems, batcher.queuedTokens], [0, 0]);
    await batcher.close(new AbortController().signal);
  });

  test('does not blame an input for a runner that may have died together with the one before', async () => {
    const { batcher, clock, submit } = setUp();
    const runners = [new ManualRunner(), new ManualRunner()];
    for (const runner of runners) batcher.attach(runner);
    await clock.advance(10);
    const input = submit('a');
    await clock.settle();
    const [first, second] = runners[0]?.runs.length === 1 ? runners : runners.toReversed();
    assert.ok(first && second);
    first.current.fail(new RunnerLostError('killed'));
    await clock.settle();
    second.current.fail(new RunnerLostError('killed with it'));
    await clock.advance(1);
    assert.equal(await outcomeOf(input), 'pending');
    // These came after the loss: the next one that is lost with the input is the second that counts.
    const later = new ManualRunner();
    batcher.attach(later);
    await clock.settle();
    later.current.fail(new RunnerLostError('killed by it'));
    await clock.settle();
    assert.equal(await outcomeOf(input), 'internal RUNTIME_LOST');
  });

  test('treats a wrong number of results as a failure of the batch', async () => {
    const { batcher, clock, submit } = setUp();
    const runner = new ManualRunner();
    batcher.attach(runner);
    const [a, b] = [submit('a'), submit('b')];
    await clock.settle();
    runner.current.end(['only one']);
    await clock.settle();
    runner.current.succeed();
    await clock.settle();
    runner.current.end(['one', 'too many']);
    assert.equal(await outcomeOf(a), 'a');
    assert.equal(await outcomeOf(b), 'internal INFERENCE_FAILED');
  });

  test('survives a runner that throws before it returns a promise', async () => {
    const { batcher, clock, submit } = setUp();
    batcher.attach({
      run: () => {
        throw new Error('broken');
      },
    });
    const submission = submit('a');
    await clock.settle();
    assert.equal(await outcomeOf(submission), 'internal INFERENCE_FAILED');
  });

  test('puts the batch of a lost runner back once, to the front, and gives the lost one nothing more', async () => {
    const { batcher, clock, events, submit } = setUp();
    const lost = new ManualRunner();
    batcher.attach(lost);
    const submissions = [submit('a'), submit('b')];
    await clock.settle();
    submit('later', 90);
    lost.current.fail(new RunnerLostError('lost'));
    await clock.settle();
    assert.equal(batcher.runners, 0);
    assert.equal(lost.log.length, 1);
    const second = new ManualRunner();
    batcher.attach(second);
    await clock.settle();
    assert.deepEqual(second.log, [['a', 'b']]);
    second.current.succeed();
    for (const [i, name] of ['a', 'b'].entries()) {
      const submission = submissions[i];
      assert.ok(submission);
      assert.equal(await outcomeOf(submission), name);
    }
    assert.deepEqual(events.slice(0, 1), ['retry:runner_lost']);
  });

  test('gives inputs that lose their second runner an error each, and keeps their neighbours', async () => {
    const { batcher, clock, submit } = setUp();
    const [first, second, third] = [new ManualRunner(), new ManualRunner(), new ManualRunner()];
    batcher.attach(first);
    const twice = [submit('a'), submit('b')];
    await clock.settle();
    const once = submit('c');
    first.current.fail(new RunnerLostError('lost'));
    await clock.settle();
    batcher.attach(second);
    await clock.settle();
    assert.deepEqual(second.log, [['a', 'b', 'c']]);
    second.current.fail(new RunnerLostError('lost again'));
    await clock.settle();
    const errors = await Promise.all(twice.map(errorOf));
    assert.deepEqual(
      errors.map((error) => `${error.code} ${error.reason}`),
      ['internal RUNTIME_LOST', 'internal RUNTIME_LOST'],
    );
    assert.notEqual(errors[0], errors[1]);
    batcher.attach(third);
    await clock.settle();
    third.current.succeed();
    assert.equal(await outcomeOf(once), 'c');
  });

  test('does not requeue what was abandoned or has expired meanwhile', async () => {
    const { batcher, clock, submit } = setUp();
    const lost = new ManualRunner();
    batcher.attach(lost);
    const abandoned = submit('a');
    const expired = submit('b', 10, { deadlineAt: 10 });
    const kept = submit('c');
    await clock.settle();
    abandoned.abandon();
    await clock.advance(20);
    assert.equal(await outcomeOf(expired), 'pending', 'a run under way is waited for');
    lost.current.fail(new RunnerLostError('lost'));
    await clock.settle();
    assert.equal(await outcomeOf(expired), 'deadline_exceeded DEADLINE_EXCEEDED');
    const runner = new ManualRunner();
    batcher.attach(runner);
    await clock.settle();
    assert.deepEqual(runner.log, [['c']]);
    runner.current.succeed();
    assert.equal(await outcomeOf(kept), 'c');
  });

  test('halves a batch that is out of memory, and lowers the budget for those that follow', async () => {
    const { batcher, clock, events, submit } = setUp({ budgetTokens: 80 });
    const runner = new ManualRunner();
    batcher.attach(runner);
    const submissions = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => submit(name));
    await clock.settle();
    assert.equal(runner.current.inputs.length, 8);
    runner.current.fail(new OutOfMemoryError('no memory'));
    await clock.settle();
    assert.equal(batcher.budgetTokens, 40);
    assert.deepEqual(runner.log[1], ['a', 'b', 'c', 'd']);
    runner.current.succeed();
    await clock.settle();
    assert.deepEqual(runner.log[2], ['e', 'f', 'g', 'h']);
    for (let i = 0; i < 8; i++) submissions.push(submit(`later ${i}`));
    runner.current.succeed();
    await clock.settle();
    assert.equal(runner.current.inputs.length, 4);
    runner.current.succeed();
    await clock.settle();
    runner.current.succeed();
    await Promise.all(submissions.map((submission) => submission.result));
    assert.deepEqual(events[0], 'retry:out_of_memory');
    await clock.advance(600_000);
    assert.equal(batcher.budgetTokens, 80);
  });

  test('tells an input that is out of memory alone that its resources are exhausted', async () => {
    const { batcher, clock, submit } = setUp();
    const runner = new ManualRunner();
    batcher.attach(runner);
    const submission = submit('a', 90);
    await clock.settle();
    runner.current.fail(new OutOfMemoryError('no memory'));
    assert.equal(await outcomeOf(submission), 'resource_exhausted OUT_OF_MEMORY');
  });

  test('refuses what a lost runner leaves when no other has come for the grace', async () => {
    const { batcher, clock, submit } = setUp({ noRunnerGraceMs: 100 });
    const runner = new ManualRunner();
    const detach = batcher.attach(runner);
    const submission = submit('a');
    await clock.settle();
    detach();
    await clock.advance(100);
    assert.equal(await outcomeOf(submission), 'pending', 'a detached runner still finishes its batch');
    runner.current.fail(new RunnerLostError('lost'));
    assert.equal(await outcomeOf(submission), 'unavailable NO_INSTANCE');
  });
});
