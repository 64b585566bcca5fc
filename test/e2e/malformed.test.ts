import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { fromStatus } from '../../clients/typescript/src/client-error.js';
import { Status } from '../../generated/google/rpc/status.js';
import {
  BatchClassifyRequest,
  ClassifyRequest,
  ClassifyStreamRequest,
  ClassifyStreamResponse,
} from '../../generated/verdict/v1/classifier_service.js';
import { messagesOf } from '../support/raw-messages.js';
import { streamRequest } from '../support/requests.js';
import { Service } from '../support/service.js';
import { short } from '../support/stream-call.js';
import { frame } from '../support/wire-frames.js';
import { RawCall } from '../unit/rpc/raw-call.js';

const path = (method: string): string => `/verdict.v1.ClassifierService/${method}`;

/** A length-delimited field. */
const field = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);

/** Bytes that no encoder of UTF-8 writes. */
const notUtf8: Readonly<Record<string, number[]>> = {
  'a lone continuation byte': [0x61, 0x80],
  'a sequence that breaks off': [0x61, 0xe2, 0x82],
  'an overlong slash': [0xc0, 0xaf],
  'a lone surrogate, written as if it were a character': [0xed, 0xa0, 0x80],
  'a number beyond the last character': [0xf4, 0x90, 0x80, 0x80],
  'Latin-1': [0x63, 0x61, 0x66, 0xe9],
};

interface Answer {
  readonly code: number;
  readonly reason: string;
  readonly messages: readonly Buffer[];
}

describe('bytes that are not what they should be', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['topics']);
  });

  after(() => service.stop());

  async function send(method: string, body: Uint8Array, fields = {}): Promise<Answer> {
    let answer: Answer | undefined;
    await RawCall.run(service.port, async (session) => {
      const call = new RawCall(session, path(method), fields);
      call.stream.end(body);
      const messages = await messagesOf(call.stream);
      const trailers = await call.trailers;
      answer = { code: Number(trailers['grpc-status']), reason: reasonOf(trailers), messages };
    });
    assert.ok(answer);
    return answer;
  }

  for (const [what, bytes] of Object.entries(notUtf8)) {
    it(`no text is made of them: ${what}`, async () => {
      const refused = { code: status.INVALID_ARGUMENT, reason: 'MALFORMED_MESSAGE', messages: [] };
      const text = Buffer.from(bytes);
      assert.deepEqual(await send('Classify', frame(field(3, text))), refused);
      assert.deepEqual(await send('BatchClassify', frame(field(3, field(1, text)))), refused);
      assert.deepEqual(await send('ClassifyStream', frame(field(4, text))), refused);
    });
  }

  it('in the middle of a stream they fail alone, in the order of the requests', async () => {
    const good = frame(ClassifyStreamRequest.encode(streamRequest('match', { id: 'x' })).finish());
    const badText = frame(field(4, Buffer.from([0xff])));
    const noProtobuf = frame(Buffer.from([0x22, 200, 1]));
    const answer = await send('ClassifyStream', Buffer.concat([good, badText, good, noProtobuf, good]));
    assert.deepEqual(
      answer.messages.map((bytes) => short(ClassifyStreamResponse.decode(bytes))),
      ['0:x=sports', '1:!MALFORMED_MESSAGE', '2:x=sports', '3:!MALFORMED_MESSAGE', '4:x=sports'],
    );
    assert.equal(answer.code, status.OK);
  });

  it('requests without an input are refused by the field that is missing', async () => {
    const refused = { code: status.INVALID_ARGUMENT, reason: 'INVALID_FIELD', messages: [] };
    assert.deepEqual(
      await send('Classify', frame(ClassifyRequest.encode(ClassifyRequest.fromPartial({})).finish())),
      refused,
    );
    const noInputs = BatchClassifyRequest.encode(BatchClassifyRequest.fromPartial({})).finish();
    assert.deepEqual(await send('BatchClassify', frame(noInputs)), refused);
  });

  it('a message larger than any valid request is refused by its announced length', async () => {
    // Only the five bytes that announce 100 MB are sent.
    const refused = { code: status.RESOURCE_EXHAUSTED, reason: 'MESSAGE_TOO_LARGE', messages: [] };
    for (const method of ['Classify', 'BatchClassify', 'ClassifyStream']) {
      assert.deepEqual(await send(method, frame(Buffer.alloc(0), { length: 100_000_000 })), refused);
    }
  });

  it('the largest batch of the longest pairs of three-byte characters is taken', async () => {
    const text = '語'.repeat(8192);
    const pairs = Array.from({ length: 32 }, () => ({ text, textPair: text }));
    const results = await service.client.classifyBatch(pairs);
    assert.deepEqual(
      results.map(({ ok }) => ok),
      pairs.map(() => true),
    );
  });

  it('fields that this version does not know are passed over', async () => {
    const unknown = field(15, Buffer.from('from the future'));
    const body = Buffer.concat([field(3, Buffer.from('match')), unknown]);
    const { code, messages } = await send('Classify', frame(body));
    assert.deepEqual([code, messages.length], [status.OK, 1]);
  });
});

function reasonOf(trailers: IncomingHttpHeaders): string {
  const details = trailers['grpc-status-details-bin'];
  if (details === undefined) return '';
  return fromStatus(Status.decode(Buffer.from(details.toString(), 'base64'))).reason;
}
