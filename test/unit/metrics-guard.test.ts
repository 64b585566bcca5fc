import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { request } from 'node:http';
import { it } from 'node:test';
import { AdminServer } from '../../src/admin/admin-server.js';
import { metricsGuard } from '../../src/app/metrics-guard.js';
import { KeyAuthenticator } from '../../src/auth/key-authenticator.js';
import { hashOfKey, newKey, random256 } from '../../src/auth/key-format.js';
import { unverifiableCredentials } from '../../src/auth/refusals.js';
import type { Authenticator } from '../../src/auth/types.js';

it('/metrics is shown to one good key, and not to one beside others', async (t) => {
  const [secret, key] = [random256(), newKey('prometheus')];
  const entry = {
    id: 'prometheus',
    hash: hashOfKey(key, createSecretKey(secret, 'base64url')).toString('base64url'),
    scopes: ['metrics'] as const,
    models: undefined,
    weight: 1,
    limits: undefined,
    cache: undefined,
    expiresAt: Number.POSITIVE_INFINITY,
  };
  const server = new AdminServer({
    host: '127.0.0.1',
    port: 0,
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: async () => ({ contentType: 'text/plain', body: 'up 1\n' }),
    guards: metricsGuard(new KeyAuthenticator({ secret, keys: [entry] })),
  });
  const port = await server.start();
  t.after(() => server.close(AbortSignal.abort()));
  const statusOf = (headers: readonly string[]) =>
    new Promise<number | undefined>((resolve, reject) => {
      request({ port, path: '/metrics', headers: ['host', 'a', ...headers] }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
  const good = ['authorization', `Bearer ${key}`];
  assert.equal(await statusOf(good), 200);
  assert.equal(await statusOf(['x-api-key', key]), 200);
  assert.equal(await statusOf([]), 401);
  const other = `Bearer ${newKey('prometheus')}`;
  for (const more of [['authorization', other], good, ['x-api-key', key]])
    assert.equal(await statusOf([...good, ...more]), 401, more.join(': ').replace(key, 'KEY'));
  assert.equal(await statusOf(['x-api-key', key, 'x-api-key', newKey('prometheus')]), 401);
});

it('/metrics says that it cannot tell while credentials cannot be verified', async () => {
  const away: Pick<Authenticator, 'authenticate'> = {
    authenticate: () => Promise.reject(unverifiableCredentials(1_000, undefined)),
  };
  const page = await metricsGuard(away)['/metrics']?.({ authorization: ['Bearer x'] });
  assert.equal(page?.status, 503);
});
