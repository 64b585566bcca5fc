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

describe('boundHeapGrowth', () => {
  it('keeps the heap of a process that replaces what it holds smaller than V8 alone would', async () => {
    const [free, bounded] = [await largestHeapMb(false), await largestHeapMb(true)];
    assert.ok(bounded < 0.85 * free, `${bounded} MB against ${free} MB`);
  });
});
