import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { VerdictClientError } from '../../src/client/index.js';
import { streamRequest } from '../support/requests.js';
import { Service } from '../support/service.js';
import { StreamCall } from '../support/stream-call.js';

describe('work that cannot be taken', () => {
  let service: Service;
  let number = 0;

  before(async () => {
    service = await Service.start(['topics', 'slow'], {
      VERDICT_BATCH_MAX_ITEMS: '1',
      VERDICT_MAX_QUEUE_ITEMS: '40',
    });
  });

  after(() => service.stop());

  /** A text that nobody has asked for. */
  const newText = (): string => `text number ${number++}`;

  it('a full queue refuses calls with a delay after which to try again; streams wait', async () => {
    const stream = new StreamCall(service.classifier);
    const texts = Array.from({ length: 30 }, newText);
    const release = service.holdSession('topics');
    try {
      stream.send(streamRequest(newText()));
      await service.untilRunning('topics');
      stream.send(...texts.map((text) => streamRequest(text)));
      // Streams may hold three quarters of the queue; the rest is for calls that do not wait.
      await service.untilQueued('topics', 30);
      await assert.rejects(
        service.client.classifyBatch(Array.from({ length: 11 }, newText)),
        isRefusal('QUEUE_FULL'),
      );
      stream.send(...Array.from({ length: 30 }, () => streamRequest(newText()))).end();
      await service.untilQueued('topics', 30);
    } finally {
      release();
    }
    const responses = await stream.rest();
    assert.equal(responses.length, 61);
    for (const { outcome } of responses) assert.equal(outcome?.$case, 'classification');
  });

  it('a deadline that the queue makes unreachable is refused at once, with a delay to try again', async () => {
    const stream = new StreamCall(service.classifier);
    stream.send(...Array.from({ length: 60 }, () => streamRequest(newText(), { model: 'slow' })));
    await service.untilQueued('slow', 30);
    const call = service.client.classify(newText(), { model: 'slow', timeoutMs: 500 });
    await assert.rejects(call, isRefusal('DEADLINE_UNREACHABLE'));
    stream.call.cancel();
    await service.untilQueued('slow', 0);
    await service.client.classify(newText(), { model: 'slow', timeoutMs: 10_000 });
    const ran = await service.itemsRun('slow');
    assert.equal(
      ran + (await service.server.metric('verdict_shed_total', { model: 'slow', reason: 'abandoned' })),
      61,
      'every input ran or was dropped, none did both',
    );
    assert.ok(ran < 30);
  });
});

function isRefusal(reason: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof VerdictClientError);
    assert.deepEqual([error.code, error.reason], ['RESOURCE_EXHAUSTED', reason]);
    assert.ok((error.retryAfterMs ?? 0) > 0);
    return true;
  };
}
