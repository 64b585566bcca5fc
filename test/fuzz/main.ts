// `npm run fuzz -- --seed 7 --inputs 1000000`: sends mutated messages, requests, frames and connections to a real server, and ends with 1 at the
// first input that it does not survive. The same seed sends the same inputs. --tls sends them over TLS.
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.js';
import { FuzzTarget } from './target.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    inputs: { type: 'string', default: '1000000' },
    tls: { type: 'boolean', default: false },
  },
});
const [seed, inputs] = [Number(values.seed), Number(values.inputs)];
const target = await FuzzTarget.start(values.tls);
const startedAt = performance.now();
try {
  const report = await fuzz({
    port: target.port,
    httpUrl: target.httpUrl,
    seed,
    inputs,
    check: () => target.check(),
    onProgress: (done) => {
      if (done % 50_000 === 0) console.error(`${done} of ${inputs}`);
    },
  });
  await target.checkAtRest();
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const { connections, httpConnections } = report;
  const outcomes = { codes: [...report.codes], statuses: [...report.statuses] };
  console.log(JSON.stringify({ seed, inputs, seconds, connections, httpConnections, ...outcomes }));
} finally {
  await target.stop();
}
