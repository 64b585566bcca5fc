import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type {
  ForgetRequest as ForgetMessage,
  ForgetResponse,
} from '../../../generated/verdict/v1/cache_service.js';
import { KeyAuthenticator } from '../../../src/auth/key-authenticator.js';
import { hashOfKey, newKey, random256 } from '../../../src/auth/key-format.js';
import type { KeyEntry } from '../../../src/auth/types.js';
import type { ForgetRequest } from '../../../src/classify/types.js';
import { isLoopback } from '../../../src/config/loopback.js';
import { VerdictError } from '../../../src/errors.js';
import { AdministrationAudit } from '../../../src/rpc/administration-audit.js';
import { Authentication } from '../../../src/rpc/authentication.js';
import type { Interceptor } from '../../../src/rpc/interceptor.js';
import { LocalAdministration } from '../../../src/rpc/local-administration.js';
import type { AdministrativeAct } from '../../../src/rpc/types.js';
import { detailsOf } from './details.js';
import { Edge, type EdgeParts, timeout, unary } from './edge.js';

const secret = random256();
const ops = newKey('ops');
const web = newKey('web');

function entry(key: string, more: Partial<KeyEntry>): KeyEntry {
  const hash = hashOfKey(key, createSecretKey(secret, 'base64url')).toString('base64url');
  const none = { models: undefined, limits: undefined, cache: undefined, weight: 1 };
  return { id: key.split('_')[1] ?? '', hash, scopes: ['classify'], ...none, expiresAt: Infinity, ...more };
}

const withKey = (key: string) => {
  const metadata = new Metadata();
  metadata.set('x-api-key', key);
  return metadata;
};

/** An edge behind the gate, with what was asked of the forgetter, and what the audit was told. */
function setUp(gate: Interceptor, more: EdgeParts = {}) {
  const asked: ForgetRequest[] = [];
  const acts: AdministrativeAct[] = [];
  const parts: EdgeParts = {
    forget: async (request) => {
      asked.push(request);
      return {
        versions: [{ name: 'sentiment', version: '1', digest: 'sha256:00' }],
        ...{ fromMemory: 1, fromRedis: 2, othersExpireSeconds: 3_960 },
      };
    },
    interceptors: [gate, new AdministrationAudit({ onAdministered: (act) => acts.push(act) })],
    ...more,
  };
  return { asked, acts, parts };
}

const withKeys = (...entries: KeyEntry[]) =>
  new Authentication(new KeyAuthenticator({ secret, keys: entries }));

function forget(edge: Edge, request: Partial<ForgetMessage>, metadata = new Metadata()) {
  const client = edge.cache;
  return unary<ForgetMessage, ForgetResponse>(
    client.forget.bind(client),
    { model: '', input: { $case: 'text', value: 'a secret text' }, caller: '', ...request },
    metadata,
  );
}

const told = (error: ServiceError | null) => [error?.code, error === null ? '' : detailsOf(error).reason];

describe('CacheService.Forget', { timeout }, () => {
  it('needs the scope admin, and is one line of the audit: without the text', async () => {
    const gate = withKeys(entry(ops, { scopes: ['admin'] }), entry(web, {}));
    const { asked, acts, parts } = setUp(gate);
    await Edge.run(parts, async (edge) => {
      const { response } = await forget(edge, { model: 'sentiment', caller: 'jwt:alice' }, withKey(ops));
      assert.deepEqual(response, {
        versions: [{ model: 'sentiment', version: '1', digest: 'sha256:00' }],
        removedFromMemory: 1,
        removedFromRedis: 2,
        othersExpireSeconds: 3_960,
      });
      const refused = await forget(edge, {}, withKey(web));
      assert.deepEqual(told(refused.error), [status.PERMISSION_DENIED, 'MISSING_SCOPE']);
      assert.deepEqual(told((await forget(edge, {})).error), [status.UNAUTHENTICATED, 'MISSING_CREDENTIALS']);
      await edge.handledCall(3);
      assert.deepEqual(
        asked.map(({ model, input, caller }) => ({ model, input, caller })),
        [{ model: 'sentiment', input: { text: 'a secret text' }, caller: 'jwt:alice' }],
      );
      const [{ peer, requestId, ...act } = assert.fail()] = acts;
      assert.deepEqual(act, {
        service: 'verdict.v1.CacheService',
        method: 'Forget',
        code: 'OK',
        identity: 'key:ops',
        facts: { model: 'sentiment', caller: 'jwt:alice' },
      });
      assert.match(peer, /^127\.0\.0\.1:\d+$/);
      assert.notEqual(requestId, '');
      assert.equal(acts.length, 1);
    });
  });

  it('reaches the models that the key may use', async () => {
    const gate = withKeys(entry(ops, { scopes: ['admin'], models: ['intent'] }));
    const { asked, acts, parts } = setUp(gate);
    await Edge.run(parts, async (edge) => {
      const { error } = await forget(edge, { model: 'sentiment' }, withKey(ops));
      assert.deepEqual(told(error), [status.PERMISSION_DENIED, 'MODEL_NOT_PERMITTED']);
      assert.equal((await forget(edge, { model: 'intent' }, withKey(ops))).error, null);
      assert.equal((await forget(edge, {}, withKey(ops))).error, null);
      await edge.handledCall(3);
      assert.deepEqual(
        asked.map((request) => [request.model, request.mayUse('intent'), request.mayUse('sentiment')]),
        [
          ['intent', true, false],
          ['', true, false],
        ],
      );
      assert.deepEqual(
        acts.map(({ code, facts }) => [code, facts]),
        [
          ['PERMISSION_DENIED', { model: 'sentiment' }],
          ['OK', { model: 'intent' }],
          ['OK', {}],
        ],
      );
    });
  });

  it('names every bad field, and quotes none in the audit', async () => {
    const { asked, acts, parts } = setUp(new LocalAdministration(isLoopback));
    await Edge.run(parts, async (edge) => {
      for (const [request, fields] of [
        [{ model: 'No Model', caller: 'alice' }, ['model', 'caller']],
        [{ input: undefined }, ['input']],
        [{ input: { $case: 'text', value: ' ' } }, ['text']],
        [{ input: { $case: 'pair', value: { text: 'a', textPair: '' } } }, ['pair.text_pair']],
        [{ input: { $case: 'text', value: 'x'.repeat(101) } }, ['text']],
        [{ caller: 'key:with a space' }, ['caller']],
      ] as const) {
        const { error } = await forget(edge, request);
        assert.equal(error?.code, status.INVALID_ARGUMENT);
        assert.deepEqual(detailsOf(error).fields, fields);
      }
      await edge.handledCall(6);
      assert.deepEqual(asked, []);
      assert.ok(
        acts.every(({ code, facts }) => code === 'INVALID_ARGUMENT' && Object.keys(facts).length === 0),
      );
      assert.equal(acts.length, 6);
    });
  });

  it('says so if Redis does not confirm', async () => {
    const { acts, parts } = setUp(new LocalAdministration(isLoopback), {
      forget: async () => {
        throw new VerdictError('unavailable', 'Redis does not confirm', {
          reason: 'CACHE_NOT_FORGOTTEN',
          retryAfterMs: 1_000,
        });
      },
    });
    await Edge.run(parts, async (edge) => {
      const { error } = await forget(edge, {});
      assert.deepEqual(told(error), [status.UNAVAILABLE, 'CACHE_NOT_FORGOTTEN']);
      await edge.handledCall();
      assert.deepEqual(
        acts.map(({ code, identity }) => [code, identity]),
        [['UNAVAILABLE', undefined]],
      );
    });
  });

  it('answers this machine without keys, unless a header says that a proxy stands between', async () => {
    const { asked, acts, parts } = setUp(new LocalAdministration(isLoopback));
    await Edge.run(parts, async (edge) => {
      assert.equal((await forget(edge, {})).error, null);
      for (const [key, value] of [
        ['x-forwarded-for', '127.0.0.1'],
        ['x-forwarded-for', ''],
        ['forwarded', 'for=127.0.0.1'],
        ['Via', '1.1 proxy'],
        ['x-real-ip', '::1'],
        ['x-envoy-original-path', '/v1:forget'],
        ['x-envoy-expected-rq-timeout-ms', '1000'],
      ] as const) {
        const metadata = new Metadata();
        metadata.set(key, value);
        const { error } = await forget(edge, {}, metadata);
        assert.deepEqual(told(error), [status.PERMISSION_DENIED, 'ADMINISTRATION_IS_LOCAL'], key);
      }
      assert.equal((await forget(edge, {})).error, null);
      assert.deepEqual([asked.length, acts.length], [2, 2]);
    });
  });

  it('answers nobody without keys where the address is not this machine', async () => {
    const { asked, parts } = setUp(new LocalAdministration((address) => address === '192.0.2.1'));
    await Edge.run(parts, async (edge) => {
      const metadata = new Metadata();
      metadata.set('x-forwarded-for', '192.0.2.1');
      for (const sent of [metadata, new Metadata()])
        assert.deepEqual(told((await forget(edge, {}, sent)).error), [
          status.PERMISSION_DENIED,
          'ADMINISTRATION_IS_LOCAL',
        ]);
      assert.deepEqual(asked, []);
    });
  });
});
