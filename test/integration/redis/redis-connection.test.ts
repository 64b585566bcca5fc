import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { RedisConnection } from '../../../src/redis/redis-connection.js';
import { freePort } from '../../support/free-port.js';
import { connectRedis, untilUp } from '../../support/redis-connection.js';
import { RedisServer, type RedisServerOptions } from '../../support/redis-server.js';
import { skipWithout } from '../../support/tool.js';
import { until } from '../../support/until.js';

const skip = await skipWithout('redis-server');
const nothing = Buffer.alloc(0);

async function startServer(
  t: { after(fn: () => Promise<void>): void },
  options: RedisServerOptions = {},
): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  t.after(() => server.stop());
  return server;
}

test('values are bytes, of which no more travel than were asked for, and a key without one is empty', {
  skip,
}, async (t) => {
  const server = await startServer(t);
  const { redis, events } = connectRedis(t, { url: server.url });
  assert.equal(redis.get('k', 100), 'skipped', 'nothing waits for a connection');
  await untilUp(redis);
  const bytes = Buffer.from([0, 255, 128, 10, 13]);
  assert.equal(await redis.set('k', bytes, 60_000), 'OK');
  assert.deepEqual(await redis.get('k', 100), bytes);
  assert.deepEqual(await redis.get('k', 5), bytes);
  assert.deepEqual(await redis.get('k', 2), bytes.subarray(0, 2));
  assert.deepEqual(await redis.get('other', 100), nothing);
  assert.deepEqual(events.connections, [true]);
  assert.deepEqual(events.breaker, []);
});

test('a database number and a password in the URL are used', { skip }, async (t) => {
  const server = await startServer(t, { password: 'open sesame' });
  const url = `redis://:open%20sesame@127.0.0.1:${server.port}`;
  const { redis: third } = connectRedis(t, { url: `${url}/3` });
  const { redis: first } = connectRedis(t, { url });
  await untilUp(third);
  await untilUp(first);
  await third.set('k', Buffer.from('x'), 60_000);
  assert.deepEqual(await first.get('k', 100), nothing);
});

test('a wrong password leaves it down, is said once, and never in full', { skip }, async (t) => {
  const server = await startServer(t, { password: 'right' });
  const { redis, events } = connectRedis(t, { url: `redis://:wr0ng@127.0.0.1:${server.port}` });
  await until('the server has refused', () => events.errors.length > 0);
  assert.equal(redis.up, false);
  assert.equal(redis.get('k', 100), 'skipped');
  assert.match(events.errors[0] ?? '', /WRONGPASS/);
  assert.ok(!events.errors.some((message) => message.includes('wr0ng')));
});

test('a server that is down at the start is used once it is up', { skip }, async (t) => {
  const server = await startServer(t);
  await server.kill();
  const { redis, events } = connectRedis(t, { url: server.url });
  await until('the connection is refused', () => events.errors.length > 0);
  assert.equal(redis.get('k', 100), 'skipped');
  assert.equal(events.errors.length, 1);
  await server.restart();
  await untilUp(redis);
  assert.deepEqual(await redis.get('k', 100), nothing);
});

test('a server that dies is down at once, and is used again after its restart', { skip }, async (t) => {
  const server = await startServer(t);
  const { redis, events } = connectRedis(t, { url: server.url });
  await untilUp(redis);
  await server.kill();
  await until('the loss is noticed', () => !redis.up);
  assert.equal(redis.get('k', 100), 'skipped');
  await server.restart();
  await untilUp(redis);
  await until('commands pass', async () => Buffer.isBuffer(await redis.get('k', 100)));
  assert.deepEqual(events.connections, [true, false, true]);
});

test('a server that hangs costs each read one timeout, opens the breaker, and is used again', {
  skip,
}, async (t) => {
  const server = await startServer(t);
  const { redis, events } = connectRedis(t, {
    url: server.url,
    commandTimeoutMs: 20,
    breakerMaxBackoffMs: 200,
  });
  await untilUp(redis);
  server.pause();
  const reads = await Promise.all(Array.from({ length: 50 }, async () => redis.get('k', 100)));
  assert.deepEqual(new Set(reads), new Set(['timeout']));
  assert.deepEqual(events.breaker, [], 'reads that fail side by side are one failure');
  assert.equal(await redis.get('k', 100), 'timeout');
  assert.equal(await redis.get('k', 100), 'timeout');
  assert.deepEqual(events.breaker, ['open']);
  assert.equal(redis.get('k', 100), 'skipped');
  server.resume();
  await until('the breaker closes', async () => {
    await redis.get('k', 100);
    return events.breaker.at(-1) === 'closed';
  });
  assert.deepEqual(await redis.get('k', 100), nothing);
});

test('a connection on which replies stop is replaced', { skip }, async (t) => {
  const server = await startServer(t);
  const { redis, events } = connectRedis(t, { url: server.url, commandTimeoutMs: 20 });
  await untilUp(redis);
  server.pause();
  await redis.get('k', 100);
  await until('the connection is given up', () => events.connections.at(-1) === false);
  server.resume();
  await untilUp(redis);
});

test('closing does not wait for a server that hangs', { skip }, async (t) => {
  const server = await startServer(t);
  const { redis, events } = connectRedis(t, { url: server.url });
  await untilUp(redis);
  server.pause();
  const read = redis.get('k', 100);
  await redis.close();
  assert.ok(['error', 'timeout'].includes(String(await read)));
  assert.equal(redis.get('k', 100), 'skipped');
  assert.equal(events.connections.at(-1), false);
});

test('a server that accepts and never speaks is not up, and closing is quick', async (t) => {
  const sockets: Socket[] = [];
  const mute = createServer((socket) => sockets.push(socket));
  const port = await freePort();
  mute.listen(port, '127.0.0.1');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  const { redis, events } = connectRedis(t, { url: `redis://127.0.0.1:${port}`, connectTimeoutMs: 50 });
  await until('the handshake times out', () => events.errors.length > 0);
  assert.equal(redis.up, false);
  await redis.close();
});

test('an impossible configuration is refused, without its password', () => {
  const limits = { commandTimeoutMs: 20, connectTimeoutMs: 100 };
  const url = 'redis://:secret@one,redis://:secret@two';
  for (const wrong of [
    { ...limits, url, mode: 'single' as const },
    { ...limits, url, mode: 'sentinel' as const },
    { ...limits, url: 'http://:secret@one', mode: 'single' as const },
  ]) {
    assert.throws(
      () => new RedisConnection(wrong),
      (error: Error) => !error.message.includes('secret'),
    );
  }
});
