import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Redis } from 'ioredis';
import type { RedisConnection } from '../../../src/redis/redis-connection.js';
import { freePort } from '../../support/free-port.js';
import { connectRedis, type RedisEvents, untilUp } from '../../support/redis-connection.js';
import { RedisServer, type RedisServerOptions } from '../../support/redis-server.js';
import { repositoryRoot } from '../../support/repository.js';
import { skipWithout } from '../../support/tool.js';
import { until } from '../../support/until.js';

const skip = await skipWithout('redis-server');
const value = Buffer.from('value');

interface Subject {
  readonly redis: RedisConnection;
  readonly events: RedisEvents;
  /** Another client of the same server. */
  readonly admin: Redis;
}

/** @param user credentials as a URL holds them, of a user that `prepare` makes */
async function connected(
  t: TestContext,
  options: RedisServerOptions = {},
  user?: { readonly inUrl: string; readonly prepare: (admin: Redis) => Promise<unknown> },
): Promise<Subject> {
  const server = await RedisServer.start(options);
  const admin = new Redis(server.url);
  t.after(async () => {
    admin.disconnect();
    await server.stop();
  });
  await user?.prepare(admin);
  const url = user === undefined ? server.url : `redis://${user.inUrl}@127.0.0.1:${server.port}`;
  const { redis, events } = connectRedis(t, { url, commandTimeoutMs: 2000, breakerMaxBackoffMs: 200 });
  await untilUp(redis);
  return { redis, events, admin };
}

const get = async ({ redis }: Subject) => redis.get('k', 100);
const set = async ({ redis }: Subject) => redis.set('k', value, 60_000);

async function connectionsMade({ admin }: Subject): Promise<number> {
  return Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1]);
}

/** A server that takes no commands of a kind is as good as none, until it takes one again. */
async function standsAside(subject: Subject, refused: 'get' | 'set', repair: () => Promise<unknown>) {
  const { redis, events } = subject;
  const [asked, other] = refused === 'get' ? [get, set] : [set, get];
  assert.equal(await asked(subject), 'error');
  assert.equal(redis.up, false);
  assert.deepEqual(events.breaker, ['open']);
  assert.equal(await asked(subject), 'skipped');
  assert.equal(await other(subject), 'skipped');
  await until('it was probed twice more, in vain', async () => {
    // What it would still take proves nothing.
    assert.equal(await other(subject), 'skipped');
    await asked(subject);
    return events.breaker.length === 5;
  });
  assert.equal(redis.up, false);
  assert.deepEqual(events.connections, [true, false], 'it did not come back in between');
  await repair();
  await until('it is used again', async () => {
    await asked(subject);
    return redis.up;
  });
  assert.deepEqual(await set(subject), 'OK');
  assert.deepEqual(await get(subject), value);
  assert.deepEqual(events.connections, [true, false, true]);
  assert.equal(events.breaker.at(-1), 'closed');
}

test('a master that became a replica is out of use until it is a master again', { skip }, async (t) => {
  const subject = await connected(t);
  await subject.admin.replicaof('127.0.0.1', await freePort());
  const before = await connectionsMade(subject);
  await standsAside(subject, 'set', () => subject.admin.replicaof('NO', 'ONE'));
  assert.match(subject.events.errors.join(), /^READONLY [^,]*$/, 'it is said once');
  assert.ok((await connectionsMade(subject)) - before >= 3, 'each refusal is followed by a new connection');
});

test('a replica without its master that serves nothing is out of use', { skip }, async (t) => {
  const subject = await connected(t);
  await subject.admin.config('SET', 'replica-serve-stale-data', 'no');
  await subject.admin.replicaof('127.0.0.1', await freePort());
  await standsAside(subject, 'get', () => subject.admin.replicaof('NO', 'ONE'));
  assert.match(subject.events.errors.join(), /^MASTERDOWN/);
});

for (const [refused, rule, repair] of [
  ['get', '-getrange', '+getrange'],
  ['set', '-set', '+set'],
] as const) {
  test(`a user without the permission to ${refused} has no Redis until given it`, { skip }, async (t) => {
    const subject = await connected(
      t,
      {},
      {
        inUrl: 'app:pw',
        prepare: (admin) => admin.acl('SETUSER', 'app', 'on', '>pw', '~*', '+@all', rule),
      },
    );
    const before = await connectionsMade(subject);
    await standsAside(subject, refused, () => subject.admin.acl('SETUSER', 'app', repair));
    assert.match(subject.events.errors.join(), /^NOPERM/);
    assert.equal(await connectionsMade(subject), before, 'a new connection would help nothing');
  });
}

test('a user needs no permissions but those that docs/operations.md names', { skip }, async (t) => {
  const page = await readFile(join(repositoryRoot, 'docs/operations.md'), 'utf8');
  const rule = /`ACL SETUSER verdict on >password (.+?)`/.exec(page)?.[1]?.split(' ') ?? [];
  const subject = await connected(
    t,
    {},
    {
      inUrl: 'verdict:password',
      prepare: (admin) => admin.acl('SETUSER', 'verdict', 'on', '>password', ...rule),
    },
  );
  const { redis, events } = subject;
  assert.equal(await redis.set('verdict:k', value, 60_000), 'OK');
  assert.deepEqual(await redis.get('verdict:k', 100), value);
  assert.deepEqual(events.errors, []);
  assert.equal(await redis.get('other:k', 100), 'error');
});

test('a server that runs a script without end is out of use', { skip }, async (t) => {
  const subject = await connected(t, { args: ['--busy-reply-threshold', '1'] });
  const script = new Redis({ port: subject.admin.options.port ?? 0, retryStrategy: () => null });
  t.after(() => script.disconnect());
  const run = script.eval('while true do end', 0).catch(String);
  await until('it is busy', async () => /BUSY/.test(await subject.admin.get('x').then(String, String)));
  await standsAside(subject, 'get', () => subject.admin.script('KILL'));
  assert.match(String(await run), /killed/);
  assert.match(subject.events.errors.join(), /^BUSY/);
});

test('a server that loads its data is out of use until it has', { skip }, async (t) => {
  const subject = await connected(t, {
    args: ['--enable-debug-command', 'yes', '--loading-process-events-interval-bytes', '1024'],
  });
  const { admin, redis, events } = subject;
  for (let key = 0; key < 100; key += 1) await admin.set(`filler${key}`, `${key}`.padEnd(2000, `${key}-`));
  // 10 ms for each key.
  await admin.config('SET', 'key-load-delay', '10000');
  const reload = admin.call('DEBUG', 'RELOAD');
  await until('it refuses', async () => {
    await get(subject);
    return !redis.up;
  });
  await reload;
  await until('it is used again', async () => {
    await get(subject);
    return redis.up;
  });
  assert.deepEqual(events.connections, [true, false, true]);
  assert.match(events.errors.join(), /LOADING/);
});

test('a server that wants a password that we have not is not up', { skip }, async (t) => {
  const subject = await connected(t);
  const { admin, redis, events } = subject;
  await admin.config('SET', 'requirepass', 'since');
  await admin.auth('since');
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await until('it has refused', () => events.errors.some((message) => message.startsWith('NOAUTH')));
  assert.equal(redis.up, false);
  await admin.config('SET', 'requirepass', '');
  await untilUp(redis);
});

for (const [what, code, refuse, allow] of [
  [
    'that is full',
    'OOM',
    { maxmemory: '1', 'maxmemory-policy': 'noeviction' },
    { maxmemory: '0', 'maxmemory-policy': 'noeviction' },
  ],
  [
    'that wants replicas and has none',
    'NOREPLICAS',
    { 'min-replicas-to-write': '1' },
    { 'min-replicas-to-write': '0' },
  ],
] as const) {
  test(`of a server ${what} reads go on while writes fail`, { skip }, async (t) => {
    const subject = await connected(t);
    const { admin, redis, events } = subject;
    const configure = async (settings: Readonly<Record<string, string>>): Promise<void> => {
      for (const [name, setting] of Object.entries(settings)) await admin.config('SET', name, setting);
    };
    assert.equal(await set(subject), 'OK');
    await configure(refuse);
    for (let write = 0; write < 10; write += 1) {
      assert.equal(await set(subject), 'error');
      assert.deepEqual(await get(subject), value);
    }
    for (let write = 0; write < 10; write += 1) assert.equal(await set(subject), 'error');
    assert.deepEqual(await get(subject), value);
    assert.equal(redis.up, true);
    assert.deepEqual(events.breaker, []);
    assert.equal(events.errors.length, 1);
    assert.ok(events.errors[0]?.startsWith(code));
    await configure(allow);
    assert.equal(await set(subject), 'OK');
  });
}

test('a server that does not know the command opens the breaker after three in a row', {
  skip,
}, async (t) => {
  const subject = await connected(t, { args: ['--rename-command', 'GETRANGE', ''] });
  for (let read = 0; read < 3; read += 1) assert.equal(await get(subject), 'error');
  assert.deepEqual(subject.events.breaker, ['open']);
  assert.ok(!subject.events.errors.join().includes("'k'"), 'the key is not told');
});
