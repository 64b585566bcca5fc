import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CacheKey } from '../../../src/cache/types.js';
import { type ForgettableVersion, InputForgetter } from '../../../src/classify/input-forgetter.js';
import { shuttingDown, VerdictError } from '../../../src/errors.js';

const version = (name: string, number: string): ForgettableVersion => ({
  name,
  version: number,
  digest: `sha256:${name}${number}`,
  cacheKey: ({ text, textPair = '' }, truncation, keyspace) =>
    [name, number, text, textPair, truncation, keyspace].join('/'),
});

const all = [version('a', '1'), version('a', '2'), version('b', '1')];
const everyone = () => true;
const never = new AbortController().signal;

function setUp({ callers = [] as string[], failsAt = Number.POSITIVE_INFINITY } = {}) {
  const calls: CacheKey[][] = [];
  const forgetter = new InputForgetter({
    models: { answering: (model) => all.filter(({ name }) => model === '' || name === model) },
    cache: {
      forget: async (keys) => {
        calls.push([...keys]);
        if (calls.length === failsAt) throw shuttingDown();
        return { memory: 1, redis: 2 };
      },
    },
    callers: () => callers,
    othersExpireSeconds: 66,
  });
  return { forgetter, calls, names: () => new Set(calls.flat()) };
}

describe('forgetting an input', () => {
  it('names each loaded version, each truncation and each caller with a cache of its own', async () => {
    const { forgetter, calls } = setUp({ callers: ['key:x', 'jwt:y'] });
    const request = { model: 'a', input: { text: 't', textPair: 'u' }, caller: 'key:gone', mayUse: everyone };
    const found = await forgetter.forget(request, never);
    const expected = ['', 'key:x', 'jwt:y', 'key:gone'].flatMap((keyspace) =>
      ['1', '2'].flatMap((number) =>
        ['end', 'start', 'reject'].map((truncation) => `a/${number}/t/u/${truncation}/${keyspace}`),
      ),
    );
    assert.deepEqual(calls.flat().sort(), expected.sort());
    assert.deepEqual(found, {
      versions: [
        { name: 'a', version: '1', digest: 'sha256:a1' },
        { name: 'a', version: '2', digest: 'sha256:a2' },
      ],
      fromMemory: 1,
      fromRedis: 2,
      othersExpireSeconds: 66,
    });
  });

  it('reaches all models that the caller may use, and says which', async () => {
    const { forgetter, names } = setUp();
    const mayUse = (model: string) => model === 'b';
    const request = { model: '', input: { text: 't' }, caller: '', mayUse };
    const { versions } = await forgetter.forget(request, never);
    assert.deepEqual(
      versions.map(({ name }) => name),
      ['b'],
    );
    assert.deepEqual([...names()].sort(), ['b/1/t//end/', 'b/1/t//reject/', 'b/1/t//start/']);
  });

  it('names a caller once, however often it is known', async () => {
    const { forgetter, calls } = setUp({ callers: ['key:x', 'key:x'] });
    await forgetter.forget({ model: 'b', input: { text: 't' }, caller: 'key:x', mayUse: everyone }, never);
    assert.equal(calls.flat().length, 6);
  });

  it('takes thousands of callers a part at a time, adds up, and stops where one part fails', async () => {
    const callers = Array.from({ length: 1_000 }, (_, number) => `jwt:${number}`);
    const request = { model: 'b', input: { text: 't' }, caller: '', mayUse: everyone };
    const { forgetter, calls, names } = setUp({ callers });
    const { fromMemory, fromRedis } = await forgetter.forget(request, never);
    assert.equal(names().size, 3_003);
    assert.ok(calls.every((keys) => keys.length <= 256));
    assert.deepEqual([fromMemory, fromRedis], [calls.length, 2 * calls.length]);
    const failing = setUp({ callers, failsAt: 2 });
    await assert.rejects(failing.forgetter.forget(request, never), VerdictError);
    assert.equal(failing.calls.length, 2);
  });

  it('is given up with its call', async () => {
    const call = new AbortController();
    const { forgetter, calls } = setUp();
    call.abort(shuttingDown());
    const request = { model: 'b', input: { text: 't' }, caller: '', mayUse: everyone };
    await assert.rejects(forgetter.forget(request, call.signal), { reason: 'DRAINING' });
    assert.deepEqual(calls, []);
  });
});
