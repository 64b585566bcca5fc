import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { streamRequest, textRequest } from '../support/requests.js';
import { Service } from '../support/service.js';
import { StreamCall } from '../support/stream-call.js';
import { type UnaryOutcome, unaryOutcome } from '../support/unary-outcome.js';
import { until } from '../support/until.js';

const key = 'x-request-id';
const made = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('x-request-id', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['topics']);
  });

  after(() => service.stop());

  const call = (text: string, fields: Record<string, string> = {}): Promise<UnaryOutcome<unknown>> =>
    unaryOutcome(service.classifier.classify.bind(service.classifier), textRequest(text), fields);

  async function assertLogged(id: string): Promise<void> {
    await until(`the log has a line of call ${id}`, () =>
      service.server.log.some((line) => line.msg === 'call' && line.request_id === id),
    );
  }

  it("is the caller's where it has one, comes back with the answer, and is in the log", async () => {
    for (const id of ['a', 'Order_42.retry-1', 'x'.repeat(128)]) {
      const { headers } = await call('match', { [key]: id });
      assert.deepEqual(headers?.get(key), [id]);
      await assertLogged(id);
    }
  });

  it('is made where there is none, a new one for each call', async () => {
    const ids = [];
    for (let number = 0; number < 3; number++) {
      const [id] = (await call('match')).headers?.get(key) ?? [];
      assert.match(String(id), made);
      await assertLogged(String(id));
      ids.push(id);
    }
    assert.equal(new Set(ids).size, 3);
  });

  it('is replaced where it could not stand in a log: too long, or of other characters', async () => {
    for (const id of ['x'.repeat(129), 'two words', 'a"b', 'a,b', '../../etc', '$x']) {
      const { headers } = await call('match', { [key]: id });
      const [echoed] = headers?.get(key) ?? [];
      assert.match(String(echoed), made);
    }
    assert.ok(!service.server.log.some(({ request_id: id }) => String(id).includes('etc')));
  });

  it('comes with the trailers of a refusal', async () => {
    const { error, headers } = await call('', { [key]: 'refused-1' });
    assert.deepEqual(error?.metadata.get(key), ['refused-1']);
    assert.equal(headers, undefined, 'a refusal is trailers alone');
    await assertLogged('refused-1');
  });

  it('comes with the headers of a stream', async () => {
    const stream = new StreamCall(service.classifier, { [key]: 'stream-1' });
    stream.send(streamRequest('match')).end();
    await stream.rest();
    assert.deepEqual((await stream.headers).get(key), ['stream-1']);
    await assertLogged('stream-1');
  });

  it("is handed on by the package's client", async () => {
    await service.client.classify('match', { requestId: 'from-the-client' });
    await assertLogged('from-the-client');
    await assert.rejects(service.client.classify('', { requestId: 'it-failed' }), { requestId: 'it-failed' });
  });
});
