import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { VerdictClient, VerdictClientError } from '../../clients/typescript/src/index.js';
import { TestKeyFile } from '../support/key-files.js';
import { RedisServer } from '../support/redis-server.js';
import { Service } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';

const skip = await skipWithout('redis-server');

/** What a client whose answers say where they came from was told. */
const outcomeOf = async (client: VerdictClient, text: string) => (await client.classify(text)).cache;

describe('forgetting a text, in memory and in Redis', { skip }, () => {
  let redis: RedisServer;
  let service: Service;
  let entries: Redis;
  const file = new TestKeyFile(temporaryFolder({ after }));
  const scopes = ['classify', 'cache-outcomes'];
  const keys = {
    ops: file.add('ops', { scopes: ['admin'] }),
    shared: file.add('shared', { scopes }),
    own: file.add('own', { scopes, cache: 'own' }),
    off: file.add('off', { scopes, cache: 'off' }),
  };
  const clients: VerdictClient[] = [];

  const clientOf = (apiKey: string, { server } = service): VerdictClient => {
    const client = new VerdictClient({ address: server.address, apiKey, retry: false });
    clients.push(client);
    return client;
  };

  async function start(): Promise<Service> {
    const started = await Service.start(['topics', 'pairs'], {
      VERDICT_API_KEYS_FILE: file.path,
      REDIS_URL: redis.url,
      // A removal on a busy machine.
      VERDICT_REDIS_COMMAND_TIMEOUT_MS: '2000',
      VERDICT_CACHE_TTL_SECONDS: '100',
    });
    await until('Redis is connected', async () => (await started.server.metric('verdict_redis_up')) === 1);
    return started;
  }

  let ops: VerdictClient;
  let shared: VerdictClient;
  let own: VerdictClient;
  let off: VerdictClient;

  before(async () => {
    redis = await RedisServer.start();
    entries = new Redis(redis.url);
    entries.on('error', () => {});
    file.write();
    service = await start();
    ops = clientOf(keys.ops);
    shared = clientOf(keys.shared);
    own = clientOf(keys.own);
    off = clientOf(keys.off);
  });

  beforeEach(() => entries.flushall());

  after(async () => {
    for (const client of clients) client.close();
    entries.disconnect();
    await service.stop();
    await redis.stop();
  });

  const untilStored = (count: number) =>
    until(`${count} entries are in Redis`, async () => (await entries.dbsize()) === count);

  it('removes it under every truncation, model and caller, and says what it removed', async () => {
    const text = 'a text that somebody wants gone';
    await shared.classify(text);
    await shared.classify(text, { truncation: 'start' });
    await shared.classify(text, { model: 'pairs' });
    await own.classify(text);
    await shared.classify('another text');
    await untilStored(5);
    const runs = await service.itemsRun('topics');

    const result = await ops.forget(text);
    assert.deepEqual(
      result.versions.map(({ model, version }) => `${model}/${version}`),
      ['pairs/1', 'topics/1'],
    );
    for (const { digest } of result.versions) assert.match(digest, /^sha256:[0-9a-f]{64}$/);
    assert.deepEqual(
      [result.removedFromMemory, result.removedFromRedis, result.othersExpireSeconds],
      [4, 4, 110],
    );
    assert.equal(await entries.dbsize(), 1);
    assert.equal(await outcomeOf(shared, text), 'miss');
    assert.equal(await outcomeOf(own, text), 'miss');
    assert.equal(await outcomeOf(shared, 'another text'), 'lru');
    assert.equal(await service.itemsRun('topics'), runs + 2);
    // It is an ordinary text again.
    assert.equal(await outcomeOf(shared, text), 'lru');
    await untilStored(3);
    await ops.forget('another text');
    assert.deepEqual((await ops.forget(text)).removedFromRedis, 2);
    assert.deepEqual((await ops.forget(text)).removedFromRedis, 0);
    assert.equal(await entries.dbsize(), 0);
  });

  it('forgets for one model alone, and a pair as a pair', async () => {
    await shared.classify('for two models');
    await shared.classify('for two models', { model: 'pairs' });
    await shared.classify({ text: 'for two', textPair: 'models' }, { model: 'pairs' });
    await untilStored(3);
    const one = await ops.forget('for two models', { model: 'pairs' });
    assert.deepEqual([one.versions.length, one.removedFromMemory, one.removedFromRedis], [1, 1, 1]);
    assert.equal(await outcomeOf(shared, 'for two models'), 'lru');
    assert.equal((await ops.forget({ text: 'for two', textPair: 'models' })).removedFromRedis, 1);
    await ops.forget('for two models');
    assert.equal(await entries.dbsize(), 0);
  });

  it('is not undone by a computation under way', async () => {
    const release = service.holdSession('topics');
    try {
      const occupying = shared.classify('keeps the session busy', { cache: 'bypass' });
      await service.untilRunning('topics');
      const joins = await service.server.metric('verdict_cache_joins_total');
      const waiting = [outcomeOf(shared, 'computed meanwhile'), outcomeOf(shared, 'computed meanwhile')];
      await until('the second has joined', async () => {
        return (await service.server.metric('verdict_cache_joins_total')) === joins + 1;
      });
      const { removedFromMemory, removedFromRedis } = await ops.forget('computed meanwhile');
      assert.deepEqual([removedFromMemory, removedFromRedis], [0, 0]);
      release();
      assert.deepEqual((await Promise.all(waiting)).sort(), ['coalesced', 'miss']);
      await occupying;
    } finally {
      release();
    }
    // Writes that were to come would have come before this one.
    await shared.classify('the next text');
    await untilStored(1);
    assert.equal(await outcomeOf(shared, 'computed meanwhile'), 'miss');
    await ops.forget('the next text');
    await ops.forget('computed meanwhile');
  });

  it('keeps callers apart: own answers are for their owner alone, and who is off leaves none', async () => {
    const text = 'a question to ask in private';
    const runs = await service.itemsRun('topics');
    assert.equal(await outcomeOf(own, text), 'miss');
    assert.equal(await outcomeOf(own, text), 'lru');
    assert.equal(await outcomeOf(off, text), 'bypassed');
    assert.equal((await off.classify(text, { cache: 'refresh' })).cache, 'bypassed');
    assert.equal(await outcomeOf(shared, text), 'miss');
    assert.equal(await outcomeOf(shared, text), 'lru');
    assert.equal(await outcomeOf(off, text), 'bypassed');
    assert.equal(await service.itemsRun('topics'), runs + 5);
    await untilStored(2);
    await ops.forget(text);
  });

  it('joins nobody of another cache', async () => {
    const text = 'asked by three at the same time';
    const release = service.holdSession('topics');
    try {
      const occupying = shared.classify('keeps the session busy', { cache: 'bypass' });
      await service.untilRunning('topics');
      const callers = [shared, own, off].map((client) => outcomeOf(client, text));
      await service.untilQueued('topics', 3);
      release();
      assert.deepEqual(await Promise.all(callers), ['miss', 'miss', 'bypassed']);
      await occupying;
    } finally {
      release();
    }
    await untilStored(2);
    await ops.forget(text);
  });

  it('reaches what a key left that is gone, if it is named', async () => {
    const leaver = clientOf(file.add('leaver', { scopes, cache: 'own' }));
    file.write();
    await until('the key is there', async () => {
      return leaver.classify('left behind').then(
        () => true,
        () => false,
      );
    });
    await untilStored(1);
    file.remove('leaver');
    file.write();
    await until('the key is gone', async () => {
      return leaver.classify('left behind').then(
        () => false,
        (error: unknown) => error instanceof VerdictClientError && error.code === 'UNAUTHENTICATED',
      );
    });
    assert.equal((await ops.forget('left behind')).removedFromRedis, 0);
    const named = await ops.forget('left behind', { caller: 'key:leaver' });
    assert.deepEqual([named.removedFromMemory, named.removedFromRedis], [1, 1]);
    assert.equal(await entries.dbsize(), 0);
  });

  it('leaves what another server has in its memory, which that one forgets when it is asked', async (t) => {
    const other = await start();
    t.after(() => other.stop());
    const [theirs, theirOps] = [clientOf(keys.shared, other), clientOf(keys.ops, other)];
    await shared.classify('known to two servers');
    await untilStored(1);
    assert.equal(await outcomeOf(theirs, 'known to two servers'), 'redis');
    const first = await ops.forget('known to two servers');
    assert.deepEqual([first.removedFromMemory, first.removedFromRedis], [1, 1]);
    assert.equal(await outcomeOf(theirs, 'known to two servers'), 'lru');
    const second = await theirOps.forget('known to two servers');
    assert.deepEqual([second.removedFromMemory, second.removedFromRedis], [1, 0]);
    assert.equal(await outcomeOf(theirs, 'known to two servers'), 'miss');
  });

  it('is refused without the scope, and each act is in the log, without the text', async () => {
    await assert.rejects(shared.forget('a text that nobody may log'), { reason: 'MISSING_SCOPE' });
    await ops.forget('a text that nobody may log', { model: 'topics' });
    await assert.rejects(ops.forget('a text that nobody may log', { model: 'nosuch' }), {
      code: 'NOT_FOUND',
    });
    const acts = () =>
      service.server.log.filter(({ msg, arguments: named }) => {
        return msg === 'administration' && ['topics', 'nosuch'].includes(Object(named).model);
      });
    await until('both acts are in the log', () => acts().length === 2);
    assert.deepEqual(
      acts().map(({ level, method, code, identity, arguments: named }) => [
        level,
        method,
        code,
        identity,
        named,
      ]),
      [
        ['warn', 'Forget', 'OK', 'key:ops', { model: 'topics' }],
        ['warn', 'Forget', 'NOT_FOUND', 'key:ops', { model: 'nosuch' }],
      ],
    );
    const refused = service.server.log.filter(({ msg, code, method }) => {
      return msg === 'call' && method === 'Forget' && code === 'PERMISSION_DENIED';
    });
    assert.equal(refused.length, 1);
    assert.doesNotMatch(JSON.stringify(service.server.log), /nobody may log/);
  });

  it('says so while Redis is away, and is done once Redis is back', async () => {
    await shared.classify('kept by a Redis that is away');
    await untilStored(1);
    redis.pause();
    try {
      await assert.rejects(ops.forget('kept by a Redis that is away'), {
        code: 'UNAVAILABLE',
        reason: 'CACHE_NOT_FORGOTTEN',
      });
    } finally {
      redis.resume();
    }
    await until('Redis confirms', async () => {
      return ops.forget('kept by a Redis that is away').then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof VerdictClientError && error.reason === 'CACHE_NOT_FORGOTTEN');
          return false;
        },
      );
    });
    assert.equal(await entries.dbsize(), 0);
    assert.equal(await outcomeOf(shared, 'kept by a Redis that is away'), 'miss');

    await redis.kill();
    await assert.rejects(ops.forget('kept by a Redis that is away'), { reason: 'CACHE_NOT_FORGOTTEN' });
    assert.deepEqual(service.server.complaints, []);
  });
});
