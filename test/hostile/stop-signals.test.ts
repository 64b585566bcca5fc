import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { childProcesses, isAlive } from '../support/child-processes.js';
import { freePort } from '../support/free-port.js';
import { modelsDirectory } from '../support/models-directory.js';
import { ServedModels } from '../support/served-models.js';
import { StartingServer } from '../support/starting-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const PATIENCE = { timeout: 60_000 };
/** With this one, a test that waits for the end of its drain runs into its time limit. */
const PATIENT_DRAIN = { VERDICT_DRAIN_TIMEOUT_MS: '900000' };
/** Signals that come sooner are taken for echoes of the first. */
const ECHO_MS = 400;

/** A server whose tokeniser threads do this before they read a tokenizer. */
async function startWithThreads(t: TestContext, program: string): Promise<StartingServer> {
  const folder = temporaryFolder(t);
  const preload = join(folder, 'preload.cjs');
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  writeFileSync(preload, `if (!require('node:worker_threads').isMainThread) { ${program} }`);
  const { path, remove } = await modelsDirectory(['topics']);
  t.after(remove);
  return starting(t, {
    VERDICT_MODELS_DIR: path,
    VERDICT_DEFAULT_MODEL: 'topics',
    NODE_OPTIONS: `--require=${preload}`,
    ...PATIENT_DRAIN,
  });
}

const spinningStart = (t: TestContext) => startWithThreads(t, 'for (;;);');

/** The thread is in a call to the system that never comes back: nobody writes to the pipe. */
const blockedStart = (t: TestContext) =>
  startWithThreads(t, `require('node:fs').readFileSync(__dirname + '/pipe');`);

async function starting(t: TestContext, settings: Record<string, string>): Promise<StartingServer> {
  const server = new StartingServer(settings);
  t.after(() => server.kill('SIGKILL'));
  await until('its session process is there', () => childProcesses(server.pid).length > 0);
  await untilIdle(childProcesses(server.pid)[0] ?? 0);
  return server;
}

/** Waits until the process has used no processor for half a second: it has opened its session. */
async function untilIdle(pid: number): Promise<void> {
  const used = () => readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ').slice(13, 15).join();
  let before = '';
  await until(`${pid} is idle`, async () => {
    await delay(500);
    const now = used();
    const idle = now === before;
    before = now;
    return idle;
  });
}

describe('a stop signal while the start hangs', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`gives it up, and ends all that had started: ${signal}`, PATIENCE, async (t) => {
      const server = await spinningStart(t);
      const sessions = childProcesses(server.pid);
      server.kill(signal);
      assert.deepEqual(await server.exit, { code: 0, signal: null }, server.output);
      await until('no session process is left', () => !sessions.some(isAlive));
    });
  }

  it('that comes again ends it at once, which the exit code tells', PATIENCE, async (t) => {
    const server = await spinningStart(t);
    server.kill('SIGTERM');
    await delay(ECHO_MS);
    server.kill('SIGTERM');
    assert.deepEqual(await server.exit, { code: 1, signal: null }, server.output);
  });

  it('that comes again ends it too where a thread of its own cannot be ended', PATIENCE, async (t) => {
    const server = await blockedStart(t);
    const sessions = childProcesses(server.pid);
    server.kill('SIGTERM');
    await delay(ECHO_MS);
    server.kill('SIGTERM');
    assert.deepEqual(await server.exit, { code: null, signal: 'SIGKILL' }, server.output);
    assert.match(server.output, /"unfinished":\["tokeniser"/);
    await until('no session process is left', () => !sessions.some(isAlive));
  });
});

/** Has that many calls answered, a line of the log each. */
async function talk(port: number, calls: number): Promise<void> {
  const client = new VerdictClient({ address: `127.0.0.1:${port}`, retry: { maxAttempts: 20 } });
  try {
    for (let sent = 0; sent < calls; sent += 50) {
      await Promise.all(Array.from({ length: 50 }, () => client.classify('the coach of the team')));
    }
  } finally {
    client.close();
  }
}

describe('a log that nobody reads', () => {
  for (const kind of ['pipe', 'socket'] as const) {
    it(
      `does not keep the server from ending, nor from telling what was lost: ${kind}`,
      PATIENCE,
      async (t) => {
        const options = kind === 'pipe' ? { stdout: unreadPipe(t) } : { unread: true };
        const { path, remove } = await modelsDirectory(['topics']);
        t.after(remove);
        const [port, adminPort] = [await freePort(), await freePort()];
        const server = new StartingServer(
          {
            VERDICT_MODELS_DIR: path,
            VERDICT_DEFAULT_MODEL: 'topics',
            VERDICT_PORT: `${port}`,
            VERDICT_ADMIN_PORT: `${adminPort}`,
            ...PATIENT_DRAIN,
          },
          options,
        );
        t.after(() => server.kill('SIGKILL'));
        await until('it serves', () =>
          fetch(`http://127.0.0.1:${adminPort}/readyz`).then(
            ({ ok }) => ok,
            () => false,
          ),
        );
        await talk(port, 2000);
        const dropped = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
        assert.match(dropped, /verdict_log_lines_dropped_total 0/);
        server.kill('SIGTERM');
        assert.deepEqual(await server.exit, { code: 0, signal: null });
        assert.match(server.output, /^[1-9][0-9]+ log lines were lost/);
      },
    );
  }
});

/** The end of a pipe that is written to; the other one is never read. */
function unreadPipe(t: TestContext): number {
  const path = join(temporaryFolder(t), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, 'w');
  t.after(() => {
    closeSync(reader);
    closeSync(writer);
  });
  return writer;
}

describe('a signal that is not to end the server', () => {
  for (const [signal, message] of [
    ['SIGHUP', 'reloading the models'],
    ['SIGUSR1', 'this signal is ignored'],
  ] as const) {
    it(`is logged, and disturbs no session: ${signal}`, PATIENCE, async (t) => {
      const served = await ServedModels.start(t, ['topics']);
      const [session] = served.sessions();
      served.server.kill(signal);
      process.kill(session ?? 0, signal);
      await until('it is logged', () => served.logged(message).length > 0);
      assert.equal(served.logged(message)[0]?.signal, signal);
      assert.equal((await served.client().classify('the coach')).label, 'sports');
      assert.deepEqual(served.sessions(), [session]);
      // Node announces its debugger there.
      assert.deepEqual(served.server.complaints, []);
      assert.deepEqual(served.logged('session output'), []);
    });
  }
});
