import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RunnerLostError } from '../../../src/batching/types.js';
import { VerdictError } from '../../../src/errors.js';
import { setUp } from './batcher-setup.js';
import { ManualRunner, TimedRunner } from './fake-runners.js';

const COST = { baseMs: 5, msPerToken: 0.5, msPerTokenSquared: 0 };

/** A batcher with a runner for what comes together, two by default, and one for what comes alone. */
function withSolo(shared = 2) {
  const setup = setUp({ costCurve: COST, noRunnerGraceMs: 100 });
  const solo = new ManualRunner();
  const runners = Array.from({ length: shared }, () => new ManualRunner());
  const detach = runners.map((runner) => setup.batcher.attach(runner));
  const detachSolo = setup.batcher.attachSolo(solo);
  return { ...setup, solo, runners, detach, detachSolo };
}

describe('a runner for solo inputs', () => {
  test('takes an input that comes while nothing runs', async () => {
    const { submit, clock, solo, runners } = withSolo();
    const { result } = submit('a');
    await clock.settle();
    assert.deepEqual([solo.log, runners.map(({ log }) => log)], [[['a']], [[], []]]);
    solo.current.succeed();
    assert.equal((await result).value, 'a');
  });

  test('leaves inputs that come together to the others', async () => {
    const { submit, clock, solo, runners } = withSolo();
    submit('a');
    submit('b');
    await clock.settle();
    assert.deepEqual([solo.log, runners.map(({ log }) => log)], [[], [[['a']], [['b']]]]);
  });

  test('leaves an input to the others as long as one of them runs', async () => {
    const { submit, clock, solo, runners } = withSolo();
    submit('a');
    submit('b');
    await clock.settle();
    runners[0]?.current.succeed();
    await clock.settle();
    submit('c');
    await clock.settle();
    assert.deepEqual([solo.log, runners[0]?.log], [[], [['a'], ['c']]]);
  });

  test('does not keep the others from what comes during its run', async () => {
    const { submit, clock, solo, runners } = withSolo();
    submit('a');
    await clock.settle();
    submit('b');
    await clock.settle();
    submit('c');
    await clock.settle();
    assert.deepEqual([solo.log, runners.map(({ log }) => log)], [[['a']], [[['b']], [['c']]]]);
  });

  test('takes solo inputs in a batcher that forms its batches ahead as well', async () => {
    const { batcher, submit, clock } = setUp({ policy: 'fifo' });
    const [solo, shared] = [new ManualRunner(), new ManualRunner()];
    batcher.attach(shared);
    batcher.attachSolo(solo);
    submit('a');
    await clock.settle();
    assert.deepEqual([solo.log, shared.log], [[['a']], []]);
  });

  test('does not move the cost curve, which is that of the others', async () => {
    const { batcher, clock, submit } = setUp({ costCurve: COST });
    batcher.attach(new ManualRunner());
    batcher.attachSolo(new TimedRunner(clock, { baseMs: 1, msPerToken: 0.1, msPerTokenSquared: 0 }));
    for (let i = 0; i < 50; i++) {
      const { result } = submit(`${i}`, 10 + i);
      await clock.advance(20);
      await result;
    }
    assert.deepEqual(batcher.costCurve, COST);
  });

  test('that is lost costs its input one run: another runner answers it, and all that come later', async () => {
    const { submit, clock, solo, runners, events } = withSolo();
    const { result } = submit('a');
    await clock.settle();
    solo.current.fail(new RunnerLostError('killed'));
    await clock.settle();
    runners[0]?.current.succeed();
    assert.equal((await result).value, 'a');
    submit('b');
    await clock.settle();
    assert.deepEqual([solo.log, runners[0]?.log], [[['a']], [['a'], ['b']]]);
    assert.ok(events.includes('retry:runner_lost'));
  });

  test('that was taken back gets nothing more', async () => {
    const { submit, clock, solo, runners, detachSolo } = withSolo();
    detachSolo();
    submit('a');
    await clock.settle();
    assert.deepEqual([solo.log, runners[0]?.log], [[], [['a']]]);
  });

  test('does not count: without the others there is no runner', async () => {
    const { batcher, clock, submit, detach } = withSolo(1);
    assert.equal(batcher.runners, 1);
    for (const one of detach) one();
    assert.equal(batcher.runners, 0);
    await clock.advance(101);
    await assert.rejects(submit('a').result, (error) => {
      return error instanceof VerdictError && error.reason === 'NO_INSTANCE';
    });
  });

  test('is as busy as all the others together, since it has their threads', async () => {
    const { batcher, submit, clock, solo } = withSolo(2);
    submit('a');
    await clock.settle();
    await clock.advance(10);
    assert.equal(batcher.busyMs, 20);
    solo.current.succeed();
    await clock.advance(5);
    assert.equal(batcher.busyMs, 20);
  });

  test('stays as busy when another one goes during its run: busy time never shrinks', async () => {
    const { batcher, submit, clock, detach } = withSolo(2);
    submit('a');
    await clock.settle();
    await clock.advance(10);
    detach[0]?.();
    assert.equal(batcher.busyMs, 20);
  });

  test('is waited for when the batcher closes', async () => {
    const { batcher, submit, clock, solo } = withSolo();
    const { result } = submit('a');
    await clock.settle();
    const closed = batcher.close(new AbortController().signal);
    solo.current.succeed();
    assert.equal((await result).value, 'a');
    await closed;
  });
});
