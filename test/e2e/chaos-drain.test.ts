import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { isAlive } from '../support/child-processes.js';
import { HealthLog } from '../support/health-log.js';
import { outcomesOf } from '../support/outcomes.js';
import { ServedModels } from '../support/served-models.js';
import { StreamRecording } from '../support/stream-recording.js';
import { until } from '../support/until.js';

const unavailable = 14;

/** Cases and codes of a stream's responses: `classification`, `error 3`, `end 14`. */
function shapes({ responses }: StreamRecording): string[] {
  return responses.map(({ outcome }) => {
    if (outcome?.$case === 'end') return `end ${outcome.value.status?.code}`;
    return outcome?.$case === 'error' ? `error ${outcome.value.code}` : `${outcome?.$case}`;
  });
}

/** Whether a new connection to the server is taken. */
function accepts(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect(Number(port), host);
    const settle = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

/** Checks that no session process outlives the server, and that the server ended as expected. */
async function assertEnds(served: ServedModels, sessions: number[], code: number): Promise<void> {
  assert.ok(sessions.length > 0);
  assert.deepEqual(await served.server.exit, { code, signal: null });
  await until('no session process is left', () => !sessions.some(isAlive));
}

describe('SIGTERM under load', () => {
  it('answers all that was accepted, ends streams with UNAVAILABLE, refuses new calls, exits with 0', async (t) => {
    const served = await ServedModels.start(t, ['topics'], { VERDICT_BATCH_MAX_ITEMS: '1' });
    const { address, pid } = served.server;
    const client = served.client();
    const late = served.client();
    const watch = new HealthLog(address);
    t.after(() => watch.close());
    const idle = new StreamRecording(address, { sendEnd: true });
    const told = new StreamRecording(address, { sendEnd: true });
    const plain = new StreamRecording(address);
    await until('the watch has begun', () => watch.last === 'SERVING');
    idle.send('the coach');
    await until('the idle stream is answered', () => idle.responses.length === 1);

    const session = served.pauseSession();
    let unary: Promise<unknown>[] = [];
    await served.untilRunning(() => {
      told.send('the soup', ' ', 'the law');
      plain.send('the cheese', 'the vote');
      unary = [client.classify('the team'), client.classifyBatch(['the bread', 'the chip'])];
    });
    await until('all but the running one of the seven good inputs wait', async () => {
      return (await served.server.metric('verdict_queue_items')) === 6;
    });
    served.server.kill('SIGTERM');
    await until('health says so', () => watch.last === 'NOT_SERVING');
    await until('the port is closed', async () => !(await accepts(address)));
    assert.deepEqual(await outcomesOf([late.classify('the phone')]), { UNAVAILABLE: 1 });
    assert.equal((await idle.status).code, unavailable);
    assert.ok(isAlive(pid));
    process.kill(session, 'SIGCONT');

    assert.deepEqual(await outcomesOf(unary), { OK: 2 });
    assert.equal((await told.status).code, unavailable);
    assert.equal((await plain.status).code, unavailable);
    assert.equal((await watch.status).code, unavailable);
    assert.deepEqual(shapes(idle), ['classification', 'end 14']);
    assert.deepEqual(shapes(told), ['classification', 'error 3', 'classification', 'end 14']);
    assert.deepEqual(shapes(plain), ['classification', 'classification']);
    assert.deepEqual(watch.told, ['SERVING', 'NOT_SERVING']);
    await assertEnds(served, [session], 0);
  });

  it('takes calls during the grace for balancers, while health already says NOT_SERVING', async (t) => {
    const served = await ServedModels.start(t, ['topics'], { VERDICT_DRAIN_GRACE_MS: '8000' });
    const watch = new HealthLog(served.server.address);
    t.after(() => watch.close());
    await until('the watch has begun', () => watch.last === 'SERVING');
    served.server.kill('SIGTERM');
    await until('health says so', () => watch.last === 'NOT_SERVING');
    assert.equal((await served.client().classify('the coach')).label, 'sports');
    await assertEnds(served, served.sessions(), 0);
  });

  it('does not wait for peers that hold connections open without a word', async (t) => {
    const served = await ServedModels.start(t, ['topics']);
    const [host, port] = served.server.address.split(':');
    const sockets = Array.from({ length: 20 }, () => connect(Number(port), host));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (const socket of sockets) socket.on('error', () => {});
    await until('all are connected', () => sockets.every(({ connecting }) => !connecting));
    // An HTTP/2 preface and nothing behind it.
    for (const socket of sockets.slice(10)) socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    served.server.kill('SIGTERM');
    await assertEnds(served, served.sessions(), 0);
  });
});

describe('a drain that cannot end', () => {
  /** A server with two calls that hang: one in a session that hangs, one in the queue. */
  async function stuck(t: TestContext, settings: Record<string, string> = {}) {
    const served = await ServedModels.start(t, ['topics'], { VERDICT_BATCH_MAX_ITEMS: '1', ...settings });
    const session = served.pauseSession();
    t.after(async () => {
      if (isAlive(session)) process.kill(session, 'SIGKILL');
    });
    const stream = new StreamRecording(served.server.address, { sendEnd: true });
    let outcomes: Promise<unknown> = Promise.resolve();
    await served.untilRunning(() => {
      outcomes = outcomesOf([served.client().classify('the coach')]);
      stream.send('the soup');
    });
    await until('the other one waits', async () => {
      return (await served.server.metric('verdict_queue_items')) === 1;
    });
    return { served, session, outcomes, stream };
  }

  it('is cut off when the time is up: its calls end with UNAVAILABLE, the exit code is 1', async (t) => {
    const { served, session, outcomes, stream } = await stuck(t, { VERDICT_DRAIN_TIMEOUT_MS: '1000' });
    served.server.kill('SIGTERM');
    assert.deepEqual(await outcomes, { 'UNAVAILABLE DRAINING': 1 });
    assert.equal((await stream.status).code, unavailable);
    await assertEnds(served, [session], 1);
  });

  it('is cut off by a second signal', async (t) => {
    const { served, session, outcomes } = await stuck(t);
    served.server.kill('SIGTERM');
    // A second signal within 300 ms is taken for an echo of the first one.
    await until('the first signal is old enough', () => {
      const [stopping] = served.logged('stopping');
      return stopping !== undefined && Date.now() - Date.parse(String(stopping.time)) > 400;
    });
    served.server.kill('SIGTERM');
    assert.deepEqual(await outcomes, { 'UNAVAILABLE DRAINING': 1 });
    await assertEnds(served, [session], 1);
    assert.equal(served.logged('stopping at once').length, 1);
  });
});
