import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ServerReflectionClient } from '../../../generated/grpc/reflection/v1/reflection.js';
import { CacheOutcome } from '../../../generated/verdict/v1/classification.js';
import type { ClassifyRequest, ClassifyResponse } from '../../../generated/verdict/v1/classifier_service.js';
import { KeyAuthenticator } from '../../../src/auth/key-authenticator.js';
import { hashOfKey, newKey, random256 } from '../../../src/auth/key-format.js';
import type { KeyEntry, KeyFile } from '../../../src/auth/types.js';
import { Authentication } from '../../../src/rpc/authentication.js';
import type { Interceptor } from '../../../src/rpc/interceptor.js';
import { batchRequest, settingsMessage, streamRequest, textRequest } from '../../support/requests.js';
import { detailsOf } from './details.js';
import { answerTo, Edge, HeldClassifier, modelView, TestCatalog, timeout, unary } from './edge.js';

const secret = random256();
const one = newKey('one');
const two = newKey('two');

function entry(key: string, more: Partial<KeyEntry> = {}): KeyEntry {
  return {
    id: key.split('_')[1] ?? '',
    hash: hashOfKey(key, createSecretKey(secret, 'base64url')).toString('base64url'),
    scopes: ['classify'],
    models: undefined,
    weight: 1,
    limits: undefined,
    cache: undefined,
    expiresAt: Number.POSITIVE_INFINITY,
    ...more,
  };
}

const fileOf = (...keys: KeyEntry[]): KeyFile => ({ secret, keys });

function edgeWith(file: KeyFile, more: Partial<Parameters<typeof Edge.run>[0]> = {}) {
  const keys = new KeyAuthenticator(file);
  return { keys, parts: { ...more, interceptors: [new Authentication(keys), ...(more.interceptors ?? [])] } };
}

function headers(values: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(values)) metadata.set(key, value);
  return metadata;
}

const withKey = (key: string, more: Readonly<Record<string, string>> = {}) =>
  headers({ authorization: `Bearer ${key}`, ...more });

function classify(edge: Edge, metadata: Metadata, model = '') {
  const client = edge.classifier;
  return unary<ClassifyRequest, ClassifyResponse>(
    client.classify.bind(client),
    textRequest('a', { model }),
    metadata,
  );
}

/** Code, reason and message of a refusal. */
function told(error: ServiceError | null): [number, string, string] {
  assert.ok(error);
  return [error.code, detailsOf(error).reason ?? '', error.details];
}

/** Opens a stream; its answers come in, until it ends. */
function open(edge: Edge, metadata: Metadata) {
  const stream = edge.classifier.classifyStream(metadata);
  const outcomes: string[] = [];
  const waiting: (() => void)[] = [];
  stream.on('data', ({ outcome }) => {
    outcomes.push(outcome?.$case === 'error' ? `error ${outcome.value.code}` : String(outcome?.$case));
    waiting.shift()?.();
  });
  const ended = new Promise<ServiceError | null>((resolve) => {
    stream.on('error', (error: ServiceError) => resolve(error));
    stream.on('end', () => resolve(null));
  });
  const answered = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { stream, outcomes, ended, answered };
}

describe('a call to a server with keys', { timeout }, () => {
  const { parts } = edgeWith(fileOf(entry(one), entry(two, { scopes: ['reflection', 'interactive'] })));
  const cases = {
    'without a key': [new Metadata(), status.UNAUTHENTICATED, 'MISSING_CREDENTIALS'],
    'with a wrong key': [withKey(newKey('one')), status.UNAUTHENTICATED, 'INVALID_CREDENTIALS'],
    'with both headers': [withKey(one, { 'x-api-key': one }), status.UNAUTHENTICATED, 'INVALID_CREDENTIALS'],
    'with a huge header': [withKey('x'.repeat(12_000)), status.UNAUTHENTICATED, 'INVALID_CREDENTIALS'],
    'with a key of another scope': [withKey(two), status.PERMISSION_DENIED, 'MISSING_SCOPE'],
    'that asks for the interactive class': [
      withKey(one, { 'verdict-class': 'interactive' }),
      status.PERMISSION_DENIED,
      'MISSING_SCOPE',
    ],
  } as const;
  for (const [what, [metadata, code, reason]] of Object.entries(cases)) {
    it(`is refused ${what}`, async () => {
      await Edge.run(parts, async (edge) => {
        const [gotCode, gotReason, message] = told((await classify(edge, metadata)).error);
        assert.deepEqual([gotCode, gotReason], [code, reason]);
        assert.ok(!message.includes(one.slice(-43)));
        if (reason === 'MISSING_SCOPE')
          assert.match(message, /^the scope (classify|interactive) is missing$/);
      });
    });
  }

  it('passes with a key in either header, and may ask for the bulk class', async () => {
    await Edge.run(parts, async (edge) => {
      for (const metadata of [
        withKey(one),
        headers({ 'x-api-key': one }),
        withKey(one, { 'verdict-class': 'bulk' }),
      ]) {
        assert.equal((await classify(edge, metadata)).error, null);
      }
    });
  });

  it('needs no key for health', async () => {
    await Edge.run(parts, async (edge) => {
      const client = edge.health;
      const { error } = await unary(client.check.bind(client), { service: '' }, new Metadata());
      assert.equal(error, null);
    });
  });

  it('needs the scope for reflection', async () => {
    await Edge.run(parts, async (edge) => {
      const client = new ServerReflectionClient(`127.0.0.1:${edge.port}`, credentials.createInsecure());
      const ask = (metadata: Metadata) =>
        new Promise<string>((resolve) => {
          const stream = client.serverReflectionInfo(metadata);
          stream.on('error', (error: ServiceError) => resolve(told(error).slice(1).join(': ')));
          stream.on('data', ({ messageResponse }) => resolve(messageResponse.$case));
          stream.end({ host: '', messageRequest: { $case: 'listServices', value: '' } });
        });
      assert.equal(await ask(withKey(two)), 'listServicesResponse');
      assert.equal(await ask(withKey(one)), 'MISSING_SCOPE: the scope reflection is missing');
      client.close();
    });
  });

  it('tells a method that is not there only to those it knows', async () => {
    await Edge.run(parts, async (edge) => {
      const call = (metadata: Metadata) =>
        new Promise<ServiceError | null>((resolve) => {
          const nothing = () => Buffer.alloc(0);
          edge.classifier.makeUnaryRequest('/no/such', nothing, nothing, {}, metadata, {}, resolve);
        });
      assert.equal((await call(new Metadata()))?.code, status.UNAUTHENTICATED);
      assert.equal((await call(withKey(two)))?.code, status.UNIMPLEMENTED);
    });
  });

  it('does not show its key to later steps, nor to the log', async () => {
    const seen: unknown[] = [];
    const spy: Interceptor = {
      metadataKeys: ['authorization'],
      intercept: (call) => {
        seen.push(call.metadata('authorization'), call.metadata('x-api-key'));
        return undefined;
      },
    };
    await Edge.run({ ...parts, interceptors: [...parts.interceptors, spy] }, async (edge) => {
      await classify(edge, withKey(one));
      const handled = await edge.handledCall();
      assert.equal(handled.identity, 'key:one');
      assert.deepEqual(seen, [undefined, undefined]);
      assert.ok(!JSON.stringify(edge.handled).includes(one.slice(-43)));
    });
  });
});

describe('a method without a scope', () => {
  it('stops the start, in a service that nobody knows or one whose methods differ', () => {
    const step = new Authentication(new KeyAuthenticator(fileOf()));
    for (const service of ['verdict.v1.AdminService', 'verdict.v1.ModelService']) {
      assert.throws(() => step.prepare([{ service, method: 'Drop' }]), {
        message: `no scope is set for ${service}/Drop`,
      });
    }
  });
});

describe('a key for some models', { timeout }, () => {
  const catalog = new TestCatalog([modelView('intent', '1'), modelView('sentiment', '1')]);
  const { parts } = edgeWith(fileOf(entry(one, { models: ['intent'] }), entry(two)), { catalog });
  const refused = [
    status.PERMISSION_DENIED,
    'MODEL_NOT_PERMITTED',
    'the model is not among those that these credentials may use',
  ];

  it('uses these, and learns nothing of others', async () => {
    await Edge.run(parts, async (edge) => {
      assert.equal((await classify(edge, withKey(one), 'intent')).error, null);
      for (const model of ['sentiment', 'nosuch', '']) {
        assert.deepEqual(told((await classify(edge, withKey(one), model)).error), refused);
        const client = edge.classifier;
        const batch = batchRequest(['a'], { model });
        const { error } = await unary(client.batchClassify.bind(client), batch, withKey(one));
        assert.deepEqual(told(error), refused);
      }
      assert.equal((await classify(edge, withKey(two), '')).error, null);
    });
  });

  it('sees these alone in ModelService', async () => {
    await Edge.run(parts, async (edge) => {
      const client = edge.models;
      const { response } = await unary(client.listModels.bind(client), {}, withKey(one));
      assert.deepEqual(
        response?.models.map(({ name }) => name),
        ['intent'],
      );
      const get = async (model: string) =>
        (await unary(client.getModel.bind(client), { model }, withKey(one))).error;
      assert.equal(await get('intent'), null);
      for (const model of ['sentiment', 'nosuch']) assert.deepEqual(told(await get(model)), refused);
    });
  });

  it('fails the inputs of a stream that name another, and a stream whose default is another', async () => {
    await Edge.run(parts, async (edge) => {
      const some = open(edge, withKey(one));
      for (const model of ['intent', 'sentiment', '']) some.stream.write(streamRequest('a', { model }));
      some.stream.end();
      assert.equal(await some.ended, null);
      assert.deepEqual(some.outcomes, ['classification', 'error 7', 'error 7']);
      const none = open(edge, withKey(one));
      none.stream.write(settingsMessage({ defaultModel: 'sentiment' }));
      assert.deepEqual(told(await none.ended), refused);
    });
  });
});

describe('where an answer came from', { timeout }, () => {
  const { parts } = edgeWith(fileOf(entry(one), entry(two, { scopes: ['classify', 'cache-outcomes'] })), {
    classify: (item) => answerTo(item, 'lru'),
  });

  it('is told to keys with the scope', async () => {
    await Edge.run(parts, async (edge) => {
      const [hidden, shown] = await Promise.all([one, two].map((key) => classify(edge, withKey(key))));
      assert.equal(hidden?.response?.classification?.cache, CacheOutcome.UNSPECIFIED);
      assert.equal(hidden?.response?.classification?.timings, undefined);
      assert.equal(shown?.response?.classification?.cache, CacheOutcome.LRU);
      assert.ok(shown?.response?.classification?.timings);
    });
  });

  it('is not in the end of a stream either', async () => {
    await Edge.run(parts, async (edge) => {
      const counts = async (key: string) => {
        const stream = edge.classifier.classifyStream(withKey(key));
        stream.write(settingsMessage({ sendEnd: true }));
        stream.write(streamRequest('a'));
        stream.end();
        let found: unknown;
        for await (const { outcome } of stream)
          if (outcome?.$case === 'end') found = outcome.value.cacheCounts;
        return found;
      };
      assert.deepEqual(await counts(one), []);
      assert.deepEqual(await counts(two), [{ outcome: CacheOutcome.LRU, count: 1 }]);
    });
  });
});

describe('the cache that a caller has', { timeout }, () => {
  /** The keyspaces of a unary call, a batch and a stream. */
  async function keyspacesOf(edge: Edge, seen: unknown[], metadata: Metadata): Promise<unknown[]> {
    seen.length = 0;
    const client = edge.classifier;
    await classify(edge, metadata);
    await unary(client.batchClassify.bind(client), batchRequest(['a']), metadata);
    const { stream, ended } = open(edge, metadata);
    stream.write(streamRequest('a'));
    stream.end();
    await ended;
    return [...seen];
  }

  it('is what its key says, in every kind of call, also while a stream lasts', async () => {
    const seen: unknown[] = [];
    const { keys, parts } = edgeWith(fileOf(entry(one, { cache: 'own' }), entry(two)), {
      classify: (item, { keyspace }) => {
        seen.push(keyspace);
        return answerTo(item);
      },
    });
    await Edge.run(parts, async (edge) => {
      assert.deepEqual(await keyspacesOf(edge, seen, withKey(one)), Array(3).fill('key:one'));
      assert.deepEqual(await keyspacesOf(edge, seen, withKey(two)), Array(3).fill(''));
      const { stream, answered, ended } = open(edge, withKey(one));
      for (const cache of ['off', 'shared'] as const) {
        keys.take(fileOf(entry(one, { cache })));
        const answer = answered();
        stream.write(streamRequest('a'));
        await answer;
      }
      stream.end();
      await ended;
      assert.deepEqual(seen.slice(-2), [undefined, '']);
    });
  });

  it('is what the server says without a word in the key', async () => {
    const seen: unknown[] = [];
    const { parts } = edgeWith(fileOf(entry(one, { cache: 'shared' }), entry(two)), {
      cacheSharing: 'own',
      classify: (item, { keyspace }) => {
        seen.push(keyspace);
        return answerTo(item);
      },
    });
    await Edge.run(parts, async (edge) => {
      assert.deepEqual(await keyspacesOf(edge, seen, withKey(one)), Array(3).fill(''));
      assert.deepEqual(await keyspacesOf(edge, seen, withKey(two)), Array(3).fill('key:two'));
    });
  });
});

describe('keys that change', { timeout }, () => {
  it('end the open streams of a revoked key, with what they hold, and no others', async () => {
    const held = new HeldClassifier();
    const { keys, parts } = edgeWith(fileOf(entry(one), entry(two)), { classify: held.classify });
    await Edge.run(parts, async (edge) => {
      const [gone, stays] = [open(edge, withKey(one)), open(edge, withKey(two))];
      gone.stream.write(streamRequest('gone'));
      stays.stream.write(streamRequest('stays'));
      await Promise.all([held.arrived('gone'), held.arrived('stays')]);
      keys.take(fileOf(entry(two)));
      assert.deepEqual(told(await gone.ended), [
        status.UNAUTHENTICATED,
        'REVOKED_CREDENTIALS',
        'the API key was revoked',
      ]);
      assert.ok(held.callers.get('gone')?.signal.aborted);
      const answered = stays.answered();
      held.answer('stays');
      await answered;
      stays.stream.end();
      assert.equal(await stays.ended, null);
    });
  });

  it('end a stream whose key lost the scope, and hold the next inputs to the models that are left', async () => {
    const { keys, parts } = edgeWith(fileOf(entry(one), entry(two)));
    await Edge.run(parts, async (edge) => {
      const [lost, fewer] = [open(edge, withKey(one)), open(edge, withKey(two))];
      for (const { stream, answered } of [lost, fewer]) {
        const first = answered();
        stream.write(streamRequest('a'));
        await first;
      }
      keys.take(fileOf(entry(one, { scopes: ['metrics'] }), entry(two, { models: ['intent'] })));
      assert.deepEqual(told(await lost.ended).slice(0, 2), [status.PERMISSION_DENIED, 'MISSING_SCOPE']);
      fewer.stream.write(streamRequest('a'));
      fewer.stream.end();
      assert.equal(await fewer.ended, null);
      assert.deepEqual(fewer.outcomes, ['classification', 'error 7']);
    });
  });

  it('keep nothing of calls that have ended', async () => {
    const { keys, parts } = edgeWith(fileOf(entry(one)));
    await Edge.run(parts, async (edge) => {
      assert.equal((await classify(edge, withKey(one))).error, null);
      await edge.handledCall();
      keys.take(fileOf());
      assert.deepEqual(
        edge.handled.map(({ code }) => code),
        ['OK'],
      );
      assert.equal((await classify(edge, withKey(one))).error?.code, status.UNAUTHENTICATED);
    });
  });
});
