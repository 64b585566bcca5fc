import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { ClassifyStreamRequest, StreamOrder } from '../../generated/verdict/v1/classifier_service.js';
import { settingsMessage, streamRequest } from '../support/requests.js';
import { Service } from '../support/service.js';
import { StreamCall, short } from '../support/stream-call.js';

describe('ClassifyStream', () => {
  let service: Service;
  const open = (): StreamCall => new StreamCall(service.classifier);
  const completionOrder = settingsMessage({ order: StreamOrder.COMPLETION });

  before(async () => {
    service = await Service.start(['topics', 'slow', 'poison']);
    // From now on answers of `topics` to this text are at hand, and those of `slow` take long.
    await service.client.classify('match');
  });

  after(() => service.stop());

  it('answers each request as it comes, with the stream still open', async () => {
    const stream = open();
    for (const [number, text] of ['match', 'parliament', 'dinner today'].entries()) {
      const { index, id, outcome } = await stream.send(streamRequest(text, { id: text })).next();
      assert.deepEqual([index, id, outcome?.$case], [number, text, 'classification']);
    }
    assert.deepEqual(await stream.end().rest(), []);
    assert.equal((await stream.status).code, status.OK);
  });

  it('ids are echoed as they are: empty, repeated, of any script, of 128 UTF-16 units', async () => {
    const ids = ['', 'same', 'same', '', '日本-😀', ' ', 'i'.repeat(128), '😀'.repeat(64)];
    const stream = open()
      .send(...ids.map((id) => streamRequest('match', { id })))
      .end();
    assert.deepEqual(
      (await stream.rest()).map(short),
      ids.map((id, index) => `${index}:${id}=sports`),
    );
  });

  it('an id that is too long fails its request alone, and is not echoed', async () => {
    const stream = open().send(
      streamRequest('match', { id: 'i'.repeat(129) }),
      streamRequest('match', { id: 'next' }),
    );
    assert.deepEqual((await stream.end().rest()).map(short), ['0:!INVALID_FIELD', '1:next=sports']);
  });

  it('in request order, which is the default, a slow request holds back those behind it', async () => {
    for (const [number, order] of [undefined, StreamOrder.UNSPECIFIED, StreamOrder.REQUEST].entries()) {
      const stream = open();
      if (order !== undefined) stream.send(settingsMessage({ order }));
      stream.send(
        streamRequest(`held back ${number}`, { id: 'slow', model: 'slow' }),
        streamRequest('match', { id: 'fast' }),
        streamRequest('', { id: 'bad' }),
      );
      const responses = (await stream.end().rest()).map(({ id, index }) => `${index}:${id}`);
      assert.deepEqual(responses, ['0:slow', '1:fast', '2:bad']);
    }
  });

  it('in completion order each answer comes as soon as it is there, with the index of its request', async () => {
    const stream = open().send(
      completionOrder,
      streamRequest('overtaken', { id: 'slow', model: 'slow' }),
      streamRequest('match', { id: 'fast' }),
      streamRequest('', { id: 'bad' }),
    );
    const responses = (await stream.end().rest()).map(({ id, index }) => `${index}:${id}`);
    assert.deepEqual(responses, ['1:fast', '2:bad', '0:slow']);
    assert.equal((await stream.status).code, status.OK);
  });

  it('requests that fail in the middle fail alone, each for its own reason', async () => {
    const stream = open().send(
      streamRequest('match', { id: 'a' }),
      streamRequest(' \n', { id: 'blank' }),
      streamRequest('poison', { id: 'poison', model: 'poison' }),
      streamRequest('match', { id: 'nobody', model: 'nobody' }),
      streamRequest('match', { id: 'version', version: '9' }),
      streamRequest('match', { id: 'name', model: 'No Name' }),
      ClassifyStreamRequest.fromPartial({ id: 'empty' }),
      streamRequest('x'.repeat(8193), { id: 'long' }),
      streamRequest('match', { id: 'z' }),
    );
    assert.deepEqual((await stream.end().rest()).map(short), [
      '0:a=sports',
      '1:blank!INVALID_FIELD',
      '2:poison!INFERENCE_FAILED',
      '3:nobody!MODEL_NOT_FOUND',
      '4:version!VERSION_NOT_FOUND',
      '5:name!INVALID_FIELD',
      '6:empty!INVALID_FIELD',
      '7:long!INVALID_FIELD',
      '8:z=sports',
    ]);
    assert.equal((await stream.status).code, status.OK);
  });

  it('a stream without requests ends well', async () => {
    const stream = open().end();
    assert.deepEqual(await stream.rest(), []);
    assert.equal((await stream.status).code, status.OK);
  });

  it('far more requests than its window pass through, every one answered once', async () => {
    const count = 2_000;
    const requests = Array.from({ length: count }, (_, number) =>
      streamRequest(`robot ${number % 700}`, { id: String(number) }),
    );
    const inOrder = await open()
      .send(...requests)
      .end()
      .rest();
    assert.deepEqual(
      inOrder.map(({ index, id }) => [index, id]),
      requests.map(({ id }, index) => [index, id]),
    );
    const asDone = await open()
      .send(completionOrder, ...requests)
      .end()
      .rest();
    assert.deepEqual(
      asDone.map(({ index }) => index).sort((a, b) => a - b),
      requests.map((_, index) => index),
    );
    for (const { outcome } of [...inOrder, ...asDone]) assert.equal(outcome?.$case, 'classification');
  });

  it('items of several streams run together', async () => {
    const release = service.holdSession('topics');
    try {
      const occupying = service.client.classify('what the session is busy with');
      await service.untilRunning('topics');
      const streams = Array.from({ length: 4 }, (_, number) =>
        open()
          .send(streamRequest(`stream ${number} of some`), streamRequest(`stream ${number}, again`))
          .end(),
      );
      await service.untilQueued('topics', 8);
      release();
      const responses = (await Promise.all(streams.map((stream) => stream.rest()))).flat();
      const sizes = responses.map(({ outcome }) =>
        outcome?.$case === 'classification' ? outcome.value.timings?.batchSize : undefined,
      );
      assert.equal(sizes.length, 8);
      assert.ok(Math.max(...sizes.map(Number)) > 2, `batches of ${sizes.join(', ')}`);
      await occupying;
    } finally {
      release();
    }
  });
});
