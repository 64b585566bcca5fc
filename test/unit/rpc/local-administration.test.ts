import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLoopback } from '../../../src/config/loopback.js';
import { VerdictError } from '../../../src/errors.js';
import type { CallHead } from '../../../src/rpc/interceptor.js';
import { LocalAdministration } from '../../../src/rpc/local-administration.js';

const forget = { service: 'verdict.v1.CacheService', method: 'Forget' };

function headOf(of: { service: string; method: string }, address: string, keys: readonly string[] = []) {
  const metadata = (key: string) => (keys.includes(key) ? '' : undefined);
  return { ...of, address, metadata } as Partial<CallHead> as CallHead;
}

describe('the gate of a server that knows nobody', () => {
  const gate = new LocalAdministration(isLoopback);
  const isRefused = (head: CallHead) => {
    try {
      gate.intercept(head);
      return false;
    } catch (error) {
      assert.ok(error instanceof VerdictError);
      assert.deepEqual([error.code, error.reason], ['permission_denied', 'ADMINISTRATION_IS_LOCAL']);
      assert.match(error.message, /VERDICT_API_KEYS_FILE/);
      return true;
    }
  };

  for (const address of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1']) {
    it(`lets ${address} administer`, () => assert.equal(isRefused(headOf(forget, address)), false));
  }

  for (const address of [
    '10.0.0.1',
    '::ffff:10.0.0.1',
    'fe80::1',
    '0.0.0.0',
    'unknown',
    'localhost.example',
    '',
  ])
    it(`refuses ${address === '' ? 'an empty address' : address}`, () =>
      assert.equal(isRefused(headOf(forget, address)), true));

  for (const key of gate.presenceKeys) {
    it(`refuses a local call with ${key}, even an empty one`, () =>
      assert.equal(isRefused(headOf(forget, '127.0.0.1', [key])), true));
  }

  it('lets everybody do what is no administration', () => {
    for (const of of [
      { service: 'verdict.v1.ModelService', method: 'ListModels' },
      { service: 'grpc.health.v1.Health', method: 'Check' },
      { service: 'unknown', method: 'unknown' },
    ]) {
      assert.equal(isRefused(headOf(of, '10.0.0.1', ['x-forwarded-for'])), false);
    }
  });

  it('does not start with a method that nobody has thought of', () => {
    const of = (service: string, method: string) => () => gate.prepare([forget, { service, method }]);
    assert.doesNotThrow(of('verdict.v1.ModelService', 'GetModel'));
    assert.throws(
      of('verdict.v1.ModelService', 'Drop'),
      /no scope is set for verdict\.v1\.ModelService\/Drop/,
    );
    assert.throws(
      of('verdict.v1.AdminService', 'Drop'),
      /no scope is set for verdict\.v1\.AdminService\/Drop/,
    );
  });
});
