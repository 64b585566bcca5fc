import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { HealthCheckRequest } from '../../../generated/grpc/health/v1/health.js';
import {
  BatchClassifyRequest,
  ClassifyRequest,
  ClassifyStreamRequest,
  ClassifyStreamResponse,
} from '../../../generated/verdict/v1/classifier_service.js';
import { messagesOf } from '../../support/raw-messages.js';
import { streamRequest, textRequest } from '../../support/requests.js';
import { short } from '../../support/stream-call.js';
import { until } from '../../support/until.js';
import { frame } from '../../support/wire-frames.js';
import { statusOfTrailers } from './details.js';
import { answerTo, Edge, HeldClassifier, timeout } from './edge.js';
import { classifyPath, RawCall, streamPath } from './raw-call.js';

const batchPath = '/verdict.v1.ClassifierService/BatchClassify';
const checkPath = '/grpc.health.v1.Health/Check';
const gzip = { 'grpc-encoding': 'gzip' };

/** A frame of a message that is compressed. */
function compressed(message: Uint8Array): Buffer {
  return frame(gzipSync(message, { level: 9 }), { compressed: true });
}

async function send(
  edge: Edge,
  path: string,
  body: Uint8Array,
  fields: Record<string, string> = {},
): Promise<{ code: number; reason: string | undefined; message: string; trailers: Record<string, unknown> }> {
  let ended: Awaited<ReturnType<typeof send>> | undefined;
  await RawCall.run(edge.port, async (session) => {
    const call = new RawCall(session, path, fields);
    call.stream.end(body);
    call.stream.resume();
    const trailers = await call.trailers;
    const { reason, message } = statusOfTrailers(trailers);
    ended = { code: Number(trailers['grpc-status']), reason, message, trailers };
  });
  assert.ok(ended);
  return ended;
}

test('what stands behind a full window is neither inflated nor read on', { timeout }, async () => {
  const held = new HeldClassifier();
  const options = { maxTextChars: 100_000, streamWindow: 4 };
  await Edge.run({ classify: held.classify, options }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, streamPath, gzip);
      const texts = ['a', 'b', 'c', 'd'];
      const first = texts.map((text) => frame(ClassifyStreamRequest.encode(streamRequest(text)).finish()));
      const large = ClassifyStreamRequest.encode(streamRequest('x'.repeat(60_000))).finish();
      const bombs = Array.from({ length: 100 }, () => compressed(large));
      call.stream.write(Buffer.concat([...first, ...bombs]));
      await Promise.all(texts.map((text) => held.arrived(text)));
      const wireBytes = bombs.reduce((sum, bomb) => sum + bomb.length, 0);
      assert.ok(wireBytes < 20_000);
      await until('the rest has arrived', async () => edge.server.heldBytes >= 8192 + wireBytes);
      assert.ok(
        edge.server.heldBytes < 8192 + 2 * wireBytes + 2048,
        `${edge.server.heldBytes} bytes are held`,
      );
      held.answer('a');
      await held.arrived('x'.repeat(60_000));
    });
    await until('nothing is held any more', async () => edge.server.heldBytes === 0);
  });
});

test('messages cut at every byte come out whole, compressed ones too', { timeout }, async () => {
  const requests = ['a', '', 'b'.repeat(2_000), 'c'].map((text) =>
    ClassifyStreamRequest.encode(streamRequest(text, { id: text.slice(0, 1) })).finish(),
  );
  const body = Buffer.concat(requests.map((bytes, n) => (n % 2 === 0 ? compressed(bytes) : frame(bytes))));
  await Edge.run({ options: { maxTextChars: 2_000, streamWindow: 2 } }, async (edge) => {
    for (const pieceBytes of [1, 2, 3, 4, 5, 6, 7, 11, 64]) {
      await RawCall.run(edge.port, async (session) => {
        const call = new RawCall(session, streamPath, gzip);
        for (let at = 0; at < body.length; at += pieceBytes) {
          call.stream.write(body.subarray(at, at + pieceBytes));
          if (at % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        call.stream.end();
        const responses = await messagesOf(call.stream);
        const outcomes = responses.map((bytes) => short(ClassifyStreamResponse.decode(bytes)).slice(0, 5));
        assert.deepEqual(outcomes, ['0:a=a', '1:!IN', '2:b=b', '3:c=c'], `in pieces of ${pieceBytes}`);
      });
    }
  });
});

test('a method that takes a name refuses more from its length, compressed or not', { timeout }, async () => {
  const long = HealthCheckRequest.encode({ service: 'x'.repeat(10_000) }).finish();
  await Edge.run({}, async (edge) => {
    const plain = await send(edge, checkPath, frame(new Uint8Array(0), { length: 1_000_000 }));
    assert.equal(plain.code, status.RESOURCE_EXHAUSTED);
    assert.match(plain.message, /has 1000000 bytes; grpc\.health\.v1\.Health\/Check takes at most 4096/);
    const inflated = await send(edge, checkPath, compressed(long), gzip);
    assert.equal(inflated.reason, 'MESSAGE_TOO_LARGE');
    assert.match(inflated.message, /4096 bytes/);
    const paths = [
      '/verdict.v1.ModelService/ListModels',
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    ];
    for (const path of paths) {
      assert.equal(
        (await send(edge, path, compressed(Buffer.alloc(5_000)), gzip)).reason,
        'MESSAGE_TOO_LARGE',
      );
    }
  });
});

test('a message that grows too much is refused, one that merely compresses well is not', {
  timeout,
}, async () => {
  const options = { maxTextChars: 100_000, inbound: { maxCompressionRatio: 50 } };
  await Edge.run({ options }, async (edge) => {
    const request = (text: string) => compressed(ClassifyRequest.encode(textRequest(text)).finish());
    const same = await send(edge, classifyPath, request('a'.repeat(90_000)), gzip);
    assert.equal(same.code, status.RESOURCE_EXHAUSTED);
    assert.match(same.message, /more than 50 times its size/);
    const words = Array.from({ length: 9_000 }, (_, n) => `word${n % 997}`).join(' ');
    assert.equal((await send(edge, classifyPath, request(words), gzip)).code, status.OK);
    // Short messages may grow by any factor: 60,000 bytes are no harm.
    assert.equal((await send(edge, classifyPath, request('a'.repeat(60_000)), gzip)).code, status.OK);
  });
});

test('compression can be turned off, and callers are told', { timeout }, async () => {
  const body = ClassifyRequest.encode(textRequest('hello')).finish();
  await Edge.run({ options: { inbound: { compression: false } } }, async (edge) => {
    const { code, reason, trailers } = await send(edge, classifyPath, compressed(body), gzip);
    assert.deepEqual({ code, reason }, { code: status.UNIMPLEMENTED, reason: 'UNSUPPORTED_COMPRESSION' });
    assert.equal(trailers['grpc-accept-encoding'], 'identity');
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, classifyPath, gzip);
      call.stream.end(frame(body));
      const { fields } = await call.headers;
      assert.equal(fields['grpc-accept-encoding'], 'identity');
    });
  });
});

test('too many inputs are counted before they are decoded, and named', { timeout }, async (t) => {
  const empty = Buffer.alloc(1_560_000, Buffer.from([0x1a, 0]));
  const options = { maxTextChars: 8192, maxBatchInputs: 32 };
  const decode = t.mock.method(BatchClassifyRequest, 'decode');
  await Edge.run({ options }, async (edge) => {
    for (const body of [compressed(empty), frame(empty)]) {
      const { code, message } = await send(edge, batchPath, body, gzip);
      assert.equal(code, status.INVALID_ARGUMENT);
      assert.match(message, /^inputs: must have at most 32 elements, has more/);
    }
  });
  assert.equal(decode.mock.callCount(), 0);
});

test('answers that nobody takes stop a stream from being read', { timeout }, async () => {
  let asked = 0;
  const text = 'x'.repeat(30_000);
  const classify = (item: Parameters<typeof answerTo>[0]) => {
    asked++;
    return answerTo(item);
  };
  await Edge.run({ classify, options: { maxTextChars: 30_000, streamWindow: 64 } }, async (edge) => {
    const session = connect(`http://127.0.0.1:${edge.port}`, { settings: { initialWindowSize: 0 } });
    const call = new RawCall(session, streamPath);
    const message = frame(ClassifyStreamRequest.encode(streamRequest(text)).finish());
    for (let n = 0; n < 40; n++) call.stream.write(message);
    await call.headers;
    for (let before = -1; before !== asked; ) {
      before = asked;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(asked <= 4, `${asked} messages of 30 kB were read, though none was answered`);
    session.destroy();
  });
});
