// `npm run dev`: serves the embedded models, compiles whenever a source changes and starts anew. Further arguments are
// the server's, or Node's: `npm run dev -- --log-level debug`, `npm run dev -- --inspect`. `--inspect-sessions` opens the
// inspector of the session processes. In a terminal the log is written for people; elsewhere it stays JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readableLine } from './readable-line.mjs';
import { build, watchSources } from './watch-sources.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const INSPECT_SESSIONS = '--inspect-sessions';
const isForNode = (flag) => /^--(inspect|cpu-prof|heap-prof|import=)/.test(flag);
const flags = process.argv
  .slice(2)
  .map((flag) => (flag === INSPECT_SESSIONS ? '--import=./scripts/inspect-sessions.mjs' : flag));
const nodeFlags = ['--max-semi-space-size=32', ...flags.filter(isForNode)];
const serverFlags = flags.filter((flag) => !isForNode(flag));

let server;
let isLeaving = false;

function start() {
  const isTerminal = process.stdout.isTTY === true;
  const started = spawn(process.execPath, [...nodeFlags, 'dist/src/main.js', ...serverFlags], {
    cwd: root,
    stdio: ['ignore', isTerminal ? 'pipe' : 'inherit', 'inherit'],
  });
  if (isTerminal)
    createInterface({ input: started.stdout }).on('line', (line) => console.log(readableLine(line)));
  started.on('exit', (code) => {
    if (code !== 0) console.log('# the server has ended; it starts again when a source changes');
  });
  server = started;
}

/** By SIGINT: without the grace for balancers. */
async function stop() {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGINT');
  await ended;
}

async function restart(ok) {
  console.log(ok ? '# built, starting anew' : '# built with errors, starting anew');
  await stop();
  if (!isLeaving) start();
}

// Whatever ends this process, a terminal that is gone too: the server ignores SIGHUP, and would go on alone.
process.on('exit', () => server?.kill('SIGTERM'));

const stopWatching = watchSources(['src', 'clients/typescript/src', 'generated'], restart);
async function leave() {
  if (isLeaving) return;
  isLeaving = true;
  await Promise.all([stopWatching(), stop()]);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void leave());

await build();
if (!isLeaving) start();
