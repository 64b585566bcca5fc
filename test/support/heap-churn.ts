import { boundHeapGrowth } from '../../src/cli/bound-heap-growth.js';

/** Keeps the last 60,000 small objects of many, as a full cache does, and tells how large the heap became, in MB. */
if (process.argv[2] === 'bounded') boundHeapGrowth();
const kept = new Map<number, { readonly values: Float32Array }>();
let largest = 0;
for (let i = 0; i < 1_800_000; i++) {
  kept.set(i, { values: new Float32Array(2) });
  kept.delete(i - 60_000);
  if (i % 10_000 === 0) {
    largest = Math.max(largest, process.memoryUsage().heapUsed);
    // A turn of the event loop, in which collections finish.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
process.send?.(largest / 2 ** 20);
process.disconnect();
