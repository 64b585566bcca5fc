import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gateOf } from '../../src/app/gate.js';
import type { CallHead } from '../../src/rpc/interceptor.js';

const forgetFrom = (address: string) =>
  ({
    service: 'verdict.v1.CacheService',
    method: 'Forget',
    address,
    metadata: () => undefined,
  }) as Partial<CallHead> as CallHead;

test('what comes from a trusted proxy is not local, wherever the proxy runs', () => {
  const open = gateOf(undefined, { trustedProxies: undefined });
  assert.doesNotThrow(() => open.intercept(forgetFrom('127.0.0.1')));
  const behindProxies = gateOf(undefined, { trustedProxies: '10.0.0.0/8, 127.0.0.1' });
  for (const address of ['127.0.0.1', '::ffff:127.0.0.1'])
    assert.throws(() => behindProxies.intercept(forgetFrom(address)), { reason: 'ADMINISTRATION_IS_LOCAL' });
  assert.doesNotThrow(() => behindProxies.intercept(forgetFrom('127.0.0.2')));
});
