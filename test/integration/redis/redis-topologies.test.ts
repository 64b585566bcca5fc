import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redis } from 'ioredis';
import { freePort } from '../../support/free-port.js';
import { connectRedis, untilUp } from '../../support/redis-connection.js';
import { RedisServer } from '../../support/redis-server.js';
import { skipWithout } from '../../support/tool.js';
import { until } from '../../support/until.js';

const skip = await skipWithout('redis-server');

test('a cluster is found through any of its nodes, and keys of all slots travel', { skip }, async (t) => {
  const clusterArgs = async (): Promise<string[]> => [
    '--cluster-enabled',
    'yes',
    '--cluster-port',
    `${await freePort()}`,
    '--cluster-announce-ip',
    '127.0.0.1',
  ];
  const [one, other] = [
    await RedisServer.start({ args: await clusterArgs() }),
    await RedisServer.start({ args: await clusterArgs() }),
  ];
  t.after(async () => {
    await one.stop();
    await other.stop();
  });
  const [first, second] = [new Redis(one.url), new Redis(other.url)];
  t.after(() => {
    first.disconnect();
    second.disconnect();
  });
  await first.call('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
  await second.call('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
  await second.call('CLUSTER', 'SET-CONFIG-EPOCH', '2');
  const busPort = /:\d+@(\d+)/.exec(String(await second.call('CLUSTER', 'NODES')))?.[1];
  await first.call('CLUSTER', 'MEET', '127.0.0.1', `${other.port}`, `${busPort}`);
  const isWhole = async (node: Redis): Promise<boolean> =>
    /cluster_state:ok/.test(await node.cluster('INFO')) && (await node.cluster('SLOTS')).length === 2;
  await until('the cluster is whole', async () => (await isWhole(first)) && (await isWhole(second)));

  const { redis } = connectRedis(t, {
    url: `${one.url},${other.url}`,
    mode: 'cluster',
    commandTimeoutMs: 5000,
  });
  await untilUp(redis);
  const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
  const writes = await Promise.all(keys.map(async (key) => redis.set(key, Buffer.from(key), 60_000)));
  assert.deepEqual(new Set(writes), new Set(['OK']));
  const values = await Promise.all(keys.map(async (key) => redis.get(key, 100)));
  assert.deepEqual(values.map(String), keys);
  const [onFirst, onSecond] = [await first.dbsize(), await second.dbsize()];
  assert.ok(onFirst > 0 && onSecond > 0 && onFirst + onSecond === 50);
});

test('a cluster that is down skips commands, and is used when it is up', { skip }, async (t) => {
  const node = await RedisServer.start({
    args: [
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      `${await freePort()}`,
      '--cluster-announce-ip',
      '127.0.0.1',
    ],
  });
  t.after(() => node.stop());
  const addSlots = async (): Promise<void> => {
    const admin = new Redis(node.url);
    if (!/cluster_slots_assigned:16384/.test(await admin.cluster('INFO'))) {
      await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    }
    await until('the cluster is whole', async () => /cluster_state:ok/.test(await admin.cluster('INFO')));
    admin.disconnect();
  };
  await addSlots();
  const { redis, events } = connectRedis(t, { url: node.url, mode: 'cluster', breakerMaxBackoffMs: 200 });
  await untilUp(redis);
  await node.kill();
  await until('the loss is noticed', async () => (await redis.get('k', 100)) === 'skipped');
  await node.restart();
  await addSlots();
  await until('commands pass', async () => Buffer.isBuffer(await redis.get('k', 100)));
  assert.ok(events.connections.includes(true));
});

test('a cluster that has lost slots is out of use at once, until it has them again', { skip }, async (t) => {
  const args = ['--cluster-enabled', 'yes', '--cluster-port', `${await freePort()}`];
  const node = await RedisServer.start({ args: [...args, '--cluster-announce-ip', '127.0.0.1'] });
  const admin = new Redis(node.url);
  t.after(async () => {
    admin.disconnect();
    await node.stop();
  });
  const untilState = (state: string): Promise<void> =>
    until(`the cluster is ${state}`, async () =>
      (await admin.cluster('INFO')).includes(`cluster_state:${state}`),
    );
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await untilState('ok');
  const { redis, events } = connectRedis(t, {
    url: node.url,
    mode: 'cluster',
    commandTimeoutMs: 2000,
    breakerMaxBackoffMs: 200,
  });
  await untilUp(redis);
  await admin.call('CLUSTER', 'DELSLOTSRANGE', '0', '100');
  await untilState('fail');
  assert.equal(await redis.get('k', 100), 'error');
  assert.equal(redis.up, false);
  assert.equal(redis.get('k', 100), 'skipped');
  assert.deepEqual(events.connections, [true, false]);
  assert.match(events.errors.join(), /^CLUSTERDOWN/);
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '100');
  await untilState('ok');
  await until('commands pass', async () => Buffer.isBuffer(await redis.get('k', 100)));
  assert.deepEqual(events.connections, [true, false, true]);
});

test('Sentinels are asked who the master is', { skip }, async (t) => {
  const master = await RedisServer.start();
  t.after(() => master.stop());
  const sentinel = await RedisServer.start({
    args: ['--sentinel'],
    configuration: `sentinel monitor cache 127.0.0.1 ${master.port} 1\n`,
  });
  t.after(() => sentinel.stop());
  const { redis } = connectRedis(t, {
    url: `redis://127.0.0.1:1,redis://127.0.0.1:${sentinel.port}`,
    mode: 'sentinel',
    sentinelName: 'cache',
  });
  await untilUp(redis);
  assert.equal(await redis.set('k', Buffer.from('v'), 60_000), 'OK');
  const admin = new Redis(master.url);
  t.after(() => admin.disconnect());
  assert.equal(await admin.get('k'), 'v');
  await master.kill();
  await until('the loss is noticed', () => !redis.up);
  await master.restart();
  await untilUp(redis);
  assert.deepEqual(await redis.get('k', 100), Buffer.alloc(0));
});

test('a master that was demoted under us is left for the one that Sentinel names', { skip }, async (t) => {
  const [old, next] = [await RedisServer.start(), await RedisServer.start()];
  const sentinel = await RedisServer.start({
    args: ['--sentinel'],
    configuration: `sentinel monitor cache 127.0.0.1 ${old.port} 1\n`,
  });
  const [demoted, watcher, promoted] = [new Redis(old.url), new Redis(sentinel.url), new Redis(next.url)];
  t.after(async () => {
    for (const client of [demoted, watcher, promoted]) client.disconnect();
    for (const server of [old, next, sentinel]) await server.stop();
  });
  const { redis, events } = connectRedis(t, {
    url: sentinel.url,
    mode: 'sentinel',
    sentinelName: 'cache',
    commandTimeoutMs: 2000,
  });
  await untilUp(redis);
  assert.equal(await redis.set('k', Buffer.from('v'), 60_000), 'OK');
  await watcher.call('SENTINEL', 'REMOVE', 'cache');
  await demoted.replicaof('127.0.0.1', next.port);
  await watcher.call('SENTINEL', 'MONITOR', 'cache', '127.0.0.1', `${next.port}`, '1');
  await until('writes reach the new master', async () => {
    await redis.set('after', Buffer.from('v'), 60_000);
    return (await promoted.exists('after')) === 1;
  });
  await until('it is in use', () => redis.up);
  assert.deepEqual(events.connections, [true, false, true]);
});
