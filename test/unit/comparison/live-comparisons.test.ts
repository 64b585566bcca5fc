import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Resolved } from '../../../src/cache/types.js';
import { LiveComparisons } from '../../../src/comparison/live-comparisons.js';
import type { RollbackReport } from '../../../src/comparison/types.js';
import { VerdictError } from '../../../src/errors.js';
import type { RollbackEvidence, RollbackRule, Routing, Shadow } from '../../../src/models/routing.js';
import type { RollbackOutcome } from '../../../src/models/types.js';
import { until } from '../../support/until.js';
import { noCache, requestOf, ToldVersion } from './compared-versions.js';

const bad = [1, 0];
const good = [0, 1];
const computed = (logits: readonly number[], outcome: Resolved['outcome'] = 'miss'): Resolved => ({
  entry: { logits: Float32Array.from(logits), tokenCount: 3, truncated: false },
  outcome,
  timings: { tokenizeMs: 1, queueMs: 0, inferenceMs: 3, batchSize: 1 },
});
const rule: RollbackRule = {
  ...{ version: '2', stable: '1', maxErrorPercent: 5, maxFlipPercent: 5 },
  ...{ minObservations: 10, windowSeconds: 60, setAt: 1, rolledBack: undefined },
};
const failure = new VerdictError('internal', 'the model failed on this input', {
  reason: 'INFERENCE_FAILED',
});

describe('comparisons by what callers ask', () => {
  let loaded: ToldVersion[];
  let routing: Partial<Routing>;
  let rolledBack: [RollbackRule, RollbackEvidence][];
  let outcome: () => Promise<RollbackOutcome>;
  let told: (RollbackReport | string)[];
  let now: number;
  let live: LiveComparisons;

  beforeEach(() => {
    loaded = [new ToldVersion('1', () => bad), new ToldVersion('2', () => good)];
    [routing, rolledBack, told, now] = [{}, [], [], 0];
    outcome = async () => 'kept';
    live = new LiveComparisons({
      versions: {
        get routings() {
          return new Map([['tone', { traffic: undefined, aliases: new Map(), ...routing }]]);
        },
        names: ['tone'],
        find: (_model, version) => loaded.find((one) => one.version === version),
        get: (model) => {
          if (model !== 'tone') throw new VerdictError('not_found', 'none', { reason: 'MODEL_NOT_FOUND' });
        },
      },
      recent: undefined,
      cache: noCache,
      rollBack: (_model, by, evidence) => {
        rolledBack.push([by, evidence]);
        return outcome();
      },
      hooks: {
        onCompared: ({ version }, isFlipped) =>
          told.push(`${version} compared${isFlipped ? ', flipped' : ''}`),
        onNotCompared: ({ version }, how) => told.push(`${version} ${how}`),
        onRolledBack: (report) => told.push(report),
        onRollbackFailed: (_candidate, reason) => told.push(reason),
      },
      random: () => 0.5,
      now: () => now,
    });
  });

  const version = (number: string) => loaded.find((one) => one.version === number) ?? assert.fail();
  const answer = (by: string, text: string, logits = bad, how?: Resolved['outcome']) =>
    live.listener?.onAnswer(version(by), requestOf(text), '', computed(logits, how), 0);
  const set = (given: { readonly shadow?: Shadow; readonly rollback?: RollbackRule }) => {
    routing = given;
    live.refresh();
  };
  const shadow: Shadow = { version: '2', percent: 51, setAt: 1 };
  const settled = (count: number) => until(`${count} events`, () => told.length >= count);

  it('cost nothing where nothing is set', () => {
    live.refresh();
    assert.equal(live.listener, undefined);
    set({ shadow });
    assert.notEqual(live.listener, undefined);
    set({});
    assert.equal(live.listener, undefined);
  });

  it('ask the shadow after the caller has its answer, a sample, and what others have answered alone', async () => {
    set({ shadow });
    answer('1', 'a');
    answer('2', 'by itself');
    assert.deepEqual(version('2').asked, [], 'not on the way of the answer');
    await settled(1);
    assert.deepEqual(version('2').asked, ['a']);
    const [found] = live.compare('tone', '');
    assert.deepEqual([found?.compared, found?.flips, found?.medianMs], [1, 1, 4]);
    assert.deepEqual(live.compare('tone', '7'), []);
    assert.throws(() => live.compare('mood', ''), { reason: 'MODEL_NOT_FOUND' });
    set({ shadow: { ...shadow, percent: 50, setAt: 2 } });
    answer('1', 'b');
    await new Promise(setImmediate);
    assert.deepEqual(version('2').asked, ['a'], 'chance has left it out');
  });

  it('begin anew when set anew or when a version is replaced, and not when the file is read again', async () => {
    set({ shadow });
    answer('1', 'a');
    await settled(1);
    set({ shadow: { ...shadow } });
    assert.equal(live.compare('tone', '')[0]?.compared, 1);
    loaded[1] = new ToldVersion('2', () => bad, 'sha256:other');
    answer('1', 'b');
    await settled(2);
    assert.deepEqual([live.compare('tone', '')[0]?.compared, live.compare('tone', '')[0]?.flips], [1, 0]);
    set({ shadow: { ...shadow, setAt: 2 } });
    assert.deepEqual(live.compare('tone', ''), []);
  });

  it('leave out what was asked of a version that is replaced meanwhile', async () => {
    let end: (logits: readonly number[]) => void = () => {};
    const slow = new ToldVersion('2', () => new Promise((resolve) => (end = resolve)));
    loaded[1] = slow;
    set({ shadow });
    answer('1', 'a');
    await until('it is asked', () => slow.asked.length === 1);
    set({ shadow: { ...shadow, setAt: 2 } });
    end(good);
    answer('1', 'b');
    await until('it is asked again', () => slow.asked.length === 2);
    assert.deepEqual([told, live.compare('tone', '')[0]?.compared], [[], 0]);
  });

  it('drop what there is no room for, and never fill a queue that callers wait in', async () => {
    version('2').nextQueueFill = 0.26;
    set({ shadow });
    answer('1', 'a');
    await settled(1);
    assert.deepEqual([told, version('2').asked], [['2 dropped'], []]);
    version('2').nextQueueFill = 0.25;
    loaded[1] = new ToldVersion('2', () => new Promise(() => {}));
    for (let at = 0; at < 200; at++) answer('1', `text ${at}`);
    assert.equal(told.length, 1 + 200 - 64, 'at most 64 wait');
    await until('some are under way', () => version('2').asked.length === 4);
    live.stop();
    assert.equal(live.listener, undefined);
  });

  it('count what the shadow fails at, and drop what load or its end has refused', async () => {
    const refusals = [
      failure,
      new VerdictError('invalid_argument', 'too long', { reason: 'INVALID_FIELD' }),
      new VerdictError('resource_exhausted', 'the queue is full', { reason: 'QUEUE_FULL' }),
      new VerdictError('unavailable', 'being stopped', { reason: 'DRAINING' }),
    ];
    loaded[1] = new ToldVersion('2', (text) => refusals[Number(text)] ?? good);
    set({ shadow });
    for (const at of refusals.keys()) answer('1', String(at));
    await settled(4);
    assert.deepEqual(told.map(String).sort(), ['2 dropped', '2 dropped', '2 failed', '2 failed']);
    const [found] = live.compare('tone', '2');
    assert.deepEqual([found?.failed, found?.dropped, found?.compared], [2, 2, 0]);
  });

  it('take the traffic of a candidate that fails, once', async () => {
    set({ rollback: { ...rule, maxFlipPercent: undefined } });
    const fail = (error: unknown, more = {}) =>
      live.listener?.onFailure(version('2'), requestOf('a', more), error);
    for (let at = 0; at < 20; at++) {
      fail(failure, { version: '2' });
      fail(new VerdictError('deadline_exceeded', 'too late', { reason: 'DEADLINE_EXCEEDED' }));
      fail(new VerdictError('resource_exhausted', 'full', { reason: 'QUEUE_FULL' }));
      fail(new VerdictError('unavailable', 'being stopped', { reason: 'DRAINING' }));
      live.listener?.onFailure(version('1'), requestOf('a'), failure);
    }
    assert.deepEqual(rolledBack, [], 'none of this tells of the candidate');
    for (let at = 0; at < 9; at++) fail(failure);
    assert.deepEqual(rolledBack, []);
    for (let at = 0; at < 5; at++) fail(failure);
    await settled(1);
    const evidence = { cause: 'errors', count: 10, observations: 10 } as const;
    assert.deepEqual(rolledBack, [[{ ...rule, maxFlipPercent: undefined }, evidence]]);
    assert.deepEqual(told, [{ model: 'tone', version: '2', stable: '1', ...evidence, isKept: true }]);
    set({ rollback: { ...rule, rolledBack: { ...evidence, at: 5 } } });
    now = 10_000;
    for (let at = 0; at < 20; at++) fail(failure);
    assert.equal(rolledBack.length, 1);
  });

  it('take the traffic of a candidate whose labels differ from those of the stable version', async () => {
    set({ rollback: rule });
    for (let at = 0; at < 12; at++) answer('2', `text ${at}`, good);
    await until('it is rolled back', () => told.some((one) => typeof one !== 'string'));
    assert.equal(rolledBack[0]?.[1].cause, 'flips');
    assert.equal(version('1').asked.length, 12);
    const [found] = live.compare('tone', '2');
    assert.deepEqual([found?.version, found?.candidate, found?.flips], ['1', '2', 12]);
  });

  it('judge no candidate by what the cache has answered', async () => {
    set({ rollback: rule });
    for (let at = 0; at < 20; at++) answer('2', 'a', good, 'lru');
    await new Promise(setImmediate);
    assert.deepEqual([rolledBack, version('1').asked], [[], []]);
  });

  it('try again after a second where the traffic could not be taken, and begin anew when a rule is armed again', async () => {
    set({ rollback: { ...rule, maxFlipPercent: undefined } });
    const fail = () => live.listener?.onFailure(version('2'), requestOf('a'), failure);
    outcome = () => Promise.reject(new Error('the version tone/1 is failed'));
    for (let at = 0; at < 20; at++) fail();
    await settled(1);
    assert.deepEqual([told, rolledBack.length], [['the version tone/1 is failed'], 1]);
    now = 1_000;
    fail();
    await settled(2);
    assert.equal(rolledBack.length, 2);
    set({ rollback: { ...rule, rolledBack: { cause: 'errors', count: 1, observations: 1, at: 1 } } });
    set({ rollback: rule });
    now = 3_000;
    for (let at = 0; at < 9; at++) fail();
    assert.equal(rolledBack.length, 2);
    fail();
    assert.equal(rolledBack.length, 3);
  });
});
