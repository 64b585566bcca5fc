import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { connect } from './connect.js';
import { forgotten, grpcError } from './test-server.js';

test('An input is forgotten by everybody, or for one model and caller, and the reply says what was there', async () => {
  const requests: unknown[] = [];
  const client = await connect({
    forget: (request) => {
      requests.push(request);
      return forgotten();
    },
  });
  assert.deepEqual(await client.forget('a'), {
    versions: [{ model: 'sentiment', version: '1', digest: 'sha256:00' }],
    removedFromMemory: 1,
    removedFromRedis: 2,
    othersExpireSeconds: 3_960,
  });
  await client.forget({ text: 'a', textPair: 'b' }, { model: 'nli', caller: 'jwt:alice' });
  assert.deepEqual(requests, [
    { model: '', caller: '', input: { $case: 'text', value: 'a' } },
    { model: 'nli', caller: 'jwt:alice', input: { $case: 'pair', value: { text: 'a', textPair: 'b' } } },
  ]);
});

test('What Redis does not confirm is tried again', async () => {
  let calls = 0;
  const details = { reason: 'CACHE_NOT_FORGOTTEN', retryAfterMs: 1 };
  const client = await connect({
    forget: () => (++calls === 1 ? grpcError(status.UNAVAILABLE, 'not confirmed', details) : forgotten()),
  });
  assert.equal((await client.forget('a')).removedFromRedis, 2);
  assert.equal(calls, 2);
});
