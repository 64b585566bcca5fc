import { Worker } from 'node:worker_threads';

const WORKER_URL = new URL('../../src/tokenizer/tokenizer-worker.js', import.meta.url).href;

/**
 * The real tokenizer thread, which comes to grief over texts that say so: `SPIN` never ends, `EXIT` and `THROW` end the
 * thread. What stands before those in the same message is not answered either.
 */
export function startDelicateThread(): Worker {
  return new Worker(
    `const { parentPort } = require('node:worker_threads');
    const on = parentPort.on.bind(parentPort);
    parentPort.on = (event, listener) =>
      on(event, (request) => {
        for (const text of request.kind === 'encode' ? request.jobs.texts : []) {
          if (text.includes('SPIN')) for (;;);
          if (text.includes('EXIT')) process.exit(3);
          if (text.includes('THROW')) throw new Error('boom');
        }
        listener(request);
      });
    void import(${JSON.stringify(WORKER_URL)});`,
    { eval: true },
  );
}
