// Loaded into a server by a test: SIGUSR2 collects the whole heap, and the file that the variable names says how often, and how
// many bytes JavaScript holds then, in the heap and outside it.
import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const path = process.env.COLLECTIONS_FILE;
if (path !== undefined) {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  let collections = 0;
  process.on('SIGUSR2', () => {
    if (typeof gc !== 'function') throw new Error('V8 gives no way to collect');
    // What the first one frees may hold on to something outside the heap until the second.
    gc();
    setTimeout(() => {
      gc();
      const { heapUsed, external } = process.memoryUsage();
      writeFileSync(path, JSON.stringify({ collections: ++collections, bytes: heapUsed + external }));
    }, 200);
  });
}
