import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ClassifyOptions } from '../../generated/verdict/v1/classification.js';
import {
  ClassifyStreamRequest,
  ClassifyStreamResponse,
} from '../../generated/verdict/v1/classifier_service.js';
import { messagesOf } from '../support/raw-messages.js';
import { settingsMessage, streamRequest } from '../support/requests.js';
import { Service } from '../support/service.js';
import { until } from '../support/until.js';
import { frame } from '../support/wire-frames.js';
import { RawCall, streamPath } from '../unit/rpc/raw-call.js';

const window = 64;
const total = 3_000;

/** Answers are above 250 bytes with their ids, and HTTP/2 lets 64 KiB of them go out unread. */
const mostUnread = window + 65_536 / 250;

describe('a caller that does not read its answers', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['topics'], { VERDICT_STREAM_WINDOW: String(window) });
  });

  after(() => service.stop());

  /** Inputs answered so far, once that number has stopped growing. */
  async function settledCount(): Promise<number> {
    const count = () => service.server.metric('inference_requests_total', { model: 'topics' });
    let last = -1;
    let same = 0;
    await until('the server has stopped reading', async () => {
      await delay(20);
      const now = await count();
      same = now === last && now > 0 ? same + 1 : 0;
      last = now;
      return same === 10;
    });
    return last;
  }

  it('is not read from, costs others nothing, and loses nothing', async () => {
    const text = `${'match '.repeat(60)}`;
    await RawCall.run(service.port, async (session) => {
      const call = new RawCall(session, streamPath);
      const defaultOptions = ClassifyOptions.fromPartial({ topK: 0 });
      const messages = [
        settingsMessage({ defaultOptions }),
        ...Array.from({ length: total }, (_, number) =>
          streamRequest(`${text}${number % 100}`, { id: String(number).padStart(128, '-') }),
        ),
      ];
      for (const message of messages)
        call.stream.write(frame(ClassifyStreamRequest.encode(message).finish()));
      call.stream.end();
      await call.headers;

      const answered = await settledCount();
      assert.ok(answered <= mostUnread, `${answered} of ${total} inputs were worked on`);
      assert.ok(call.stream.writableLength > 500_000, 'the rest waits in the caller');
      assert.equal(await service.server.metric('verdict_streams_in_flight'), 1);

      assert.equal((await service.client.classify('match')).label, 'sports');
      assert.equal(await service.client.health(), 'serving');

      const responses = (await messagesOf(call.stream)).map((bytes) => ClassifyStreamResponse.decode(bytes));
      assert.deepEqual(
        responses.map(({ index, id }) => [index, Number(id.replaceAll('-', ''))]),
        Array.from({ length: total }, (_, number) => [number, number]),
      );
      assert.equal((await call.trailers)['grpc-status'], '0');
    });
    await until('the stream has ended on the server too', async () => {
      return (await service.server.metric('verdict_streams_in_flight')) === 0;
    });
  });

  it('and leaves in the middle, takes its unread answers and its work along', async () => {
    await RawCall.run(service.port, async (session) => {
      const call = new RawCall(session, streamPath);
      const message = frame(
        ClassifyStreamRequest.encode(streamRequest('match', { id: 'x'.repeat(128) })).finish(),
      );
      for (let sent = 0; sent < total; sent++) call.stream.write(message);
      await call.headers;
      await settledCount();
      session.destroy();
    });
    await until('the call has ended as cancelled', async () => {
      const labels = { grpc_method: 'ClassifyStream', grpc_code: 'CANCELLED' };
      return (await service.server.metric('grpc_server_handled_total', labels)) === 1;
    });
    assert.equal(await service.server.metric('verdict_streams_in_flight'), 0);
  });
});
