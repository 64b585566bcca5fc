import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { alternate } from '../../../bench/alternate.js';
import { Progress } from '../../../bench/progress.js';
import { TextSink } from './text-sink.js';

function setup(rounds: number) {
  const calls: string[] = [];
  const sink = new TextSink();
  const stop = new AbortController();
  const contender = (name: string) => async () => {
    calls.push(name);
    return `${name}${calls.length}`;
  };
  const options = { rounds, progress: new Progress(sink), signal: stop.signal };
  return { calls, sink, stop, options, contenders: { a: contender('a'), b: contender('b') } };
}

describe('alternate', () => {
  it('warms up, then turns the order round in every other round', async () => {
    const { calls, options, contenders } = setup(3);
    await alternate(contenders, options);
    assert.equal(calls.join(''), 'ab' + 'ab' + 'ba' + 'ab');
  });

  it('gives the passes of each round by contender, the warm-up left out', async () => {
    const { options, contenders } = setup(2);
    assert.deepEqual(await alternate(contenders, options), [
      { a: 'a3', b: 'b4' },
      { b: 'b5', a: 'a6' },
    ]);
  });

  it('leaves the warm-up out in short mode', async () => {
    const { calls, options, contenders } = setup(1);
    await alternate(contenders, { ...options, short: true });
    assert.deepEqual(calls, ['a', 'b']);
  });

  it('tells each pass', async () => {
    const { sink, options, contenders } = setup(1);
    await alternate(contenders, { ...options, warmUp: false, describe: (pass) => `was ${pass}` });
    assert.equal(sink.text, 'round 1/1: a was a1\nround 1/1: b was b2\n');
  });

  it('stops before the next pass once it is interrupted', async () => {
    const { calls, stop, options, contenders } = setup(5);
    const interrupting = {
      ...contenders,
      b: async () => {
        stop.abort();
        return contenders.b();
      },
    };
    await assert.rejects(alternate(interrupting, options), { name: 'AbortError' });
    assert.deepEqual(calls, ['a', 'b']);
  });
});
