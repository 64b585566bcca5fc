import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const churn = fileURLToPath(new URL('../../support/heap-churn.js', import.meta.url));

/** The largest heap, in MB, of a process that keeps as much alive and replaces it all the time. */
async function largestHeapMb(bounded: boolean): Promise<number> {
  const child = fork(churn, [bounded ? 'bounded' : 'free'], { stdio: 'inherit' });
  const [largest] = await once(child, 'message');
  await once(child, 'exit');
  return Number(largest);
}

/** Of five processes: when a collection begins, and so how large the heap gets, differs from one to the next. */
async function medianHeapMb(bounded: boolean): Promise<number> {
  const heaps: number[] = [];
  for (let n = 0; n < 5; n++) heaps.push(await largestHeapMb(bounded));
  return heaps.sort((a, b) => a - b)[2] ?? Number.NaN;
}

describe('boundHeapGrowth', () => {
  it('keeps the heap of a process that replaces what it holds smaller than V8 alone would', async () => {
    const [free, bounded] = [await medianHeapMb(false), await medianHeapMb(true)];
    assert.ok(bounded < 0.9 * free, `${bounded} MB against ${free} MB`);
  });
});
