import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runTextLoop } from '../../../../bench/load/text-loop.js';

describe('the closed loop over any server', () => {
  it('keeps so many texts under way and sends each once, in order', async () => {
    const sent: string[] = [];
    let open = 0;
    let most = 0;
    const texts = Array.from({ length: 50 }, (_, i) => `text ${i}`);
    const classify = async (text: string) => {
      sent.push(text);
      most = Math.max(most, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return 'computed' as const;
    };
    const result = await runTextLoop({ classify }, texts, 7);
    assert.deepEqual(sent, texts);
    assert.equal(most, 7);
    assert.equal(result.latenciesMs.length, 50);
    assert.deepEqual(result.bySource, { computed: 50, joined: 0, cache: 0, unknown: 0 });
  });

  it('counts failures, remembers the first, and goes on', async () => {
    const classify = async (text: string) => {
      if (text.startsWith('bad')) throw new Error(`${text}!`);
      return 'cache' as const;
    };
    const result = await runTextLoop({ classify }, ['a', 'bad 1', 'b', 'bad 2', 'c'], 1);
    assert.equal(result.failed, 2);
    assert.equal(result.firstFailure, 'bad 1!');
    assert.equal(result.bySource.cache, 3);
    assert.equal(result.latenciesMs.length, 3);
  });

  it('does nothing with nothing to send', async () => {
    const classify = () => Promise.reject(new Error('nobody should ask'));
    const result = await runTextLoop({ classify }, [], 32);
    assert.equal(result.failed, 0);
    assert.deepEqual(result.latenciesMs, []);
  });
});
