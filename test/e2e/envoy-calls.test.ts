import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { EnvoyService } from '../support/envoy-service.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';

describe('JSON over HTTP, through Envoy', { skip: await skipWithout('envoy') }, () => {
  let stack: EnvoyService;

  before(async () => {
    stack = await EnvoyService.start(['topics', 'pairs']);
  });

  after(() => stack.stop());

  const good = { text: 'the match' };

  it("keeps the caller's request id from end to end, and writes neither texts nor queries to the log", async () => {
    const id = 'order-42';
    const path = '/v1:classify?options.topK=3';
    const { status, headers } = await stack.post(path, { text: 'a secret text' }, { 'x-request-id': id });
    assert.equal(status, 200);
    assert.equal(headers.get('x-request-id'), id);
    const calls = () => stack.service.server.log.filter((line) => line.request_id === id);
    await until('the server has logged the call', () => calls().length === 1);
    const lines = () => stack.envoy.log.filter((line) => line.request_id === id);
    await until('Envoy has logged the call', () => lines().length === 1);
    assert.equal(lines()[0]?.path, '/v1:classify');
    assert.equal(lines()[0]?.status, 200);
    assert.ok(!JSON.stringify(stack.envoy.log).includes('secret'));
  });

  it('lets pages of this machine call, and of no other', async () => {
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${stack.envoy.url}/v1:classify`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,x-request-id',
        },
      });
    const allowed = await preflight('http://localhost:9464');
    assert.equal(allowed.status, 200);
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'http://localhost:9464');
    assert.match(allowed.headers.get('access-control-allow-headers') ?? '', /content-type.*x-request-id/);
    const answer = await stack.post('/v1:classify', good, { origin: 'http://127.0.0.1:9464' });
    assert.equal(answer.headers.get('access-control-allow-origin'), 'http://127.0.0.1:9464');
    assert.match(answer.headers.get('access-control-expose-headers') ?? '', /retry-after/);
    for (const origin of ['http://localhost.example', 'https://example.org']) {
      assert.equal((await preflight(origin)).headers.get('access-control-allow-origin'), null);
    }
  });
});
