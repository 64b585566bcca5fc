import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SettledWatch } from '../../../src/models/settled-watch.js';

/** A watch whose looks are made by hand. */
async function watched(first: string) {
  let seen = first;
  const told: string[] = [];
  const watch = new SettledWatch({
    look: async () => seen,
    onChange: async () => void told.push(seen),
    intervalMs: 2 ** 30,
  });
  await watch.open();
  const look = async (now: string) => {
    seen = now;
    await watch.look();
  };
  return { watch, told, look };
}

describe('a watch', () => {
  it('tells a change once it has been the same at two looks, and once alone', async () => {
    const { told, look } = await watched('one');
    for (const now of ['one', 'half of two', 'two']) await look(now);
    assert.deepEqual(told, []);
    for (const now of ['two', 'two', 'two']) await look(now);
    assert.deepEqual(told, ['two']);
    for (const now of ['three', 'two', 'two']) await look(now);
    assert.deepEqual(told, ['two'], 'what has come and gone is no change');
    for (const now of ['one', 'one']) await look(now);
    assert.deepEqual(told, ['two', 'one']);
  });

  it('takes what changed between its opening and its first look for a change', async () => {
    const { told, look } = await watched('one');
    await look('two');
    await look('two');
    assert.deepEqual(told, ['two']);
  });

  it('tells nothing any more once it is closed', async () => {
    const { watch, told, look } = await watched('one');
    await look('two');
    watch.close();
    watch.start();
    await look('two');
    assert.deepEqual(told, []);
  });
});
