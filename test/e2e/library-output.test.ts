import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { RedisServer } from '../support/redis-server.js';
import { ServedModels } from '../support/served-models.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';

const skip = await skipWithout('redis-server');

/** A Redis with a user of these rights. */
async function redisWithUser(t: TestContext, ...rules: string[]): Promise<string> {
  const server = await RedisServer.start();
  const admin = new Redis(server.url);
  t.after(async () => {
    admin.disconnect();
    await server.stop();
  });
  await admin.acl('SETUSER', 'app', 'on', '>hunter2', '~*', ...rules);
  return `redis://app:hunter2@127.0.0.1:${server.port}`;
}

// The server under test is read line by line, and a line of its standard output that is not JSON fails the test.
describe('What libraries print in the server', { skip }, () => {
  it('about a Redis user without INFO is a log line, and Redis is used', async (t) => {
    const url = await redisWithUser(t, '+getrange', '+set');
    const served = await ServedModels.start(t, ['topics'], { REDIS_URL: url });
    await until('Redis is used', async () => (await served.server.metric('verdict_redis_up')) === 1);
    const lines = () => served.logged('output of a library');
    await until('the log has it', () => lines().some(({ text }) => String(text).includes('INFO')));
    assert.deepEqual(served.server.complaints, []);
  });

  it('about each command, where DEBUG asks for it, is not printed at all: it holds the password', async (t) => {
    const url = await redisWithUser(t, '+@all');
    const served = await ServedModels.start(t, ['topics'], { REDIS_URL: url, DEBUG: '*' });
    await until('Redis is used', async () => (await served.server.metric('verdict_redis_up')) === 1);
    await served.client().classify('the coach');
    await served.server.stop();
    assert.deepEqual(served.server.complaints, []);
    assert.doesNotMatch(JSON.stringify(served.server.log), /hunter2/);
  });

  it('through the console, from a thread too, and warnings of Node are log lines', async (t) => {
    // Runs in the main thread, from when the server listens to signals, and in the tokeniser's.
    const script = `
      import { isMainThread } from 'node:worker_threads';
      const thread = isMainThread ? 'main' : 'worker';
      setInterval(() => {
        if (isMainThread && process.listenerCount('SIGTERM') === 0) return;
        console.log('logged by ' + thread);
        console.error('complained by ' + thread);
        process.emitWarning('eleven listeners in ' + thread, 'MaxListenersExceededWarning');
      }, isMainThread ? 130 : 170).unref();
    `;
    const served = await ServedModels.start(t, ['topics'], {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}`,
    });
    const told = (text: RegExp) => () =>
      served.logged('output of a library').some((line) => text.test(String(line.text)));
    for (const thread of ['main', 'worker']) {
      await until('what was logged is told', told(new RegExp(`^logged by ${thread}`, 'm')));
      await until('what was complained is told', told(new RegExp(`^complained by ${thread}`, 'm')));
    }
    await until('the warning is told', told(/^MaxListenersExceededWarning: eleven listeners in main/));
    assert.deepEqual(served.server.complaints, []);
  });

  it('while the log is being closed is a log line', async (t) => {
    // Prints at once whenever somebody begins to listen for SIGTERM: last, what closes the log.
    const script = `process.on('newListener', (name) => {
      if (name === 'SIGTERM') console.log('somebody listens');
    });`;
    const served = await ServedModels.start(t, ['topics'], {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}`,
    });
    await served.server.stop();
    await until('the log was read', () => served.logged('output of a library').length === 2);
    assert.deepEqual(served.server.complaints, []);
  });
});
