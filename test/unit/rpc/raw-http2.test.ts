import assert from 'node:assert/strict';
import { constants, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { Status } from '../../../generated/google/rpc/status.js';
import {
  BatchClassifyRequest,
  ClassifyRequest,
  ClassifyResponse,
  ClassifyStreamRequest,
  ClassifyStreamResponse,
} from '../../../generated/verdict/v1/classifier_service.js';
import { maxReceiveBytes } from '../../../src/rpc/server-options.js';
import { batchRequest, streamRequest, textRequest } from '../../support/requests.js';
import { short } from '../../support/stream-call.js';
import { until } from '../../support/until.js';
import { callHeaders, frame, http2Frame, magic, settings } from '../../support/wire-frames.js';
import { decodeStatus } from './details.js';
import { answerTo, Edge, HeldClassifier, timeout } from './edge.js';
import { classifyPath, RawCall, streamPath } from './raw-call.js';

const valid = frame(ClassifyRequest.encode(textRequest('hello')).finish());
/** Field 3 (text), two bytes, which are no UTF-8. */
const badUtf8 = frame(Buffer.from([0x1a, 2, 0xc3, 0x28]));
/** Field 3, length 200, and nothing behind it. */
const badProtobuf = frame(Buffer.from([0x1a, 200, 1]));

interface Ended {
  readonly code: number;
  readonly reason: string | undefined;
  readonly endsStream: boolean;
  readonly logged: string;
}

/** Sends bytes as the whole body of one call and reports how it ended. */
async function send(body: Uint8Array, { path = classifyPath, fields = {} } = {}): Promise<Ended> {
  let ended: Ended | undefined;
  await Edge.run({}, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, path, fields);
      call.stream.end(body);
      const { endsStream } = await call.headers;
      call.stream.resume();
      const trailers = await call.trailers;
      const { code: logged } = await edge.handledCall();
      ended = { code: Number(trailers['grpc-status']), reason: reasonOf(trailers), endsStream, logged };
    });
  });
  assert.ok(ended);
  return ended;
}

function reasonOf(trailers: IncomingHttpHeaders): string | undefined {
  const details = trailers['grpc-status-details-bin'];
  return details === undefined
    ? undefined
    : decodeStatus(Status.decode(Buffer.from(details.toString(), 'base64'))).reason;
}

const refused = (code: keyof typeof status, reason: string): Ended => {
  return { code: status[code], reason, endsStream: true, logged: code };
};

test('a refusal is one HEADERS frame that ends the stream', { timeout }, async () => {
  const body = frame(ClassifyRequest.encode(textRequest('')).finish());
  assert.deepEqual(await send(body), refused('INVALID_ARGUMENT', 'INVALID_FIELD'));
});

test('an answer is headers, one message and trailers', { timeout }, async () => {
  assert.deepEqual(await send(valid), { code: 0, reason: undefined, endsStream: false, logged: 'OK' });
});

test('bytes that are not protobuf, and strings that are not UTF-8, are INVALID_ARGUMENT', {
  timeout,
}, async () => {
  assert.deepEqual(await send(badProtobuf), refused('INVALID_ARGUMENT', 'MALFORMED_MESSAGE'));
  assert.deepEqual(await send(badUtf8), refused('INVALID_ARGUMENT', 'MALFORMED_MESSAGE'));
});

test('a text with U+FFFD in it is a valid text', { timeout }, async () => {
  const body = frame(ClassifyRequest.encode(textRequest('\ufffd')).finish());
  assert.equal((await send(body)).code, status.OK);
});

test('a stream whose first message is malformed is refused; a later one fails alone', {
  timeout,
}, async () => {
  assert.deepEqual(
    await send(badProtobuf, { path: streamPath }),
    refused('INVALID_ARGUMENT', 'MALFORMED_MESSAGE'),
  );
  const good = frame(ClassifyStreamRequest.encode(streamRequest('a', { id: 'x' })).finish());
  await Edge.run({}, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, streamPath);
      call.stream.end(Buffer.concat([good, badProtobuf, good]));
      const responses = (await messages(call)).map((bytes) => short(ClassifyStreamResponse.decode(bytes)));
      assert.deepEqual(responses, ['0:x=a', '1:!MALFORMED_MESSAGE', '2:x=a']);
      assert.equal((await call.trailers)['grpc-status'], '0');
    });
  });
});

test('a message longer than any valid one is refused by its length, before it is sent', {
  timeout,
}, async () => {
  const max = maxReceiveBytes({ maxTextChars: 100, maxBatchInputs: 4 });
  assert.deepEqual(
    await send(frame(Buffer.alloc(0), { length: max + 1 })),
    refused('RESOURCE_EXHAUSTED', 'MESSAGE_TOO_LARGE'),
  );
});

test('a compressed message that inflates beyond the limit is refused, one within it is read', {
  timeout,
}, async () => {
  const compressed = (message: Uint8Array): Buffer => {
    const framed = frame(gzipSync(message));
    framed[0] = 1;
    return framed;
  };
  const fields = { 'grpc-encoding': 'gzip' };
  const fine = compressed(ClassifyRequest.encode(textRequest('hello')).finish());
  assert.equal((await send(fine, { fields })).code, status.OK);
  const bomb = compressed(Buffer.alloc(1 << 20));
  assert.deepEqual(await send(bomb, { fields }), refused('RESOURCE_EXHAUSTED', 'MESSAGE_TOO_LARGE'));
  fine.fill(0xff, 8);
  assert.deepEqual(await send(fine, { fields }), refused('INVALID_ARGUMENT', 'MALFORMED_MESSAGE'));
  const unknown = await send(compressed(Buffer.alloc(8)), { fields: { 'grpc-encoding': 'brotli' } });
  assert.deepEqual(unknown, refused('UNIMPLEMENTED', 'UNSUPPORTED_COMPRESSION'));
});

test('the largest batch that is valid fits the receive limit', { timeout }, () => {
  const limits = { maxTextChars: 1000, maxBatchInputs: 8 };
  const text = '\u4e16'.repeat(limits.maxTextChars);
  const name = 'm'.repeat(64);
  const request = batchRequest([], { model: name, version: '9'.repeat(16) });
  for (let n = 0; n < limits.maxBatchInputs; n++) {
    request.inputs.push({ input: { $case: 'pair', value: { text, textPair: text } } });
  }
  assert.ok(BatchClassifyRequest.encode(request).finish().length <= maxReceiveBytes(limits));
});

test('no message, half a message, and two messages in a unary call are UNIMPLEMENTED, as gRPC has it', {
  timeout,
}, async () => {
  assert.deepEqual(await send(Buffer.alloc(0)), refused('UNIMPLEMENTED', 'NO_MESSAGE'));
  assert.deepEqual(await send(valid.subarray(0, 9)), refused('UNIMPLEMENTED', 'NO_MESSAGE'));
  assert.deepEqual(await send(Buffer.concat([valid, valid])), refused('UNIMPLEMENTED', 'TOO_MANY_MESSAGES'));
});

test('an empty message is a request without input', { timeout }, async () => {
  assert.deepEqual(await send(frame(Buffer.alloc(0))), refused('INVALID_ARGUMENT', 'INVALID_FIELD'));
});

test('a method that does not exist is UNIMPLEMENTED and counted under a fixed name', {
  timeout,
}, async () => {
  await Edge.run({}, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      for (const path of ['/verdict.v1.ClassifierService/Nope', '/nope', '/a/b/c', '/__proto__/x']) {
        const call = new RawCall(session, path, { 'x-request-id': 'r7' });
        call.stream.end(valid);
        const { fields, endsStream } = await call.headers;
        assert.equal(endsStream, true);
        assert.equal(fields['grpc-status'], String(status.UNIMPLEMENTED));
        assert.equal(reasonOf(fields), 'UNKNOWN_METHOD');
        assert.equal(fields['x-request-id'], 'r7');
        call.stream.resume();
        await call.trailers;
      }
    });
    await edge.handledCall(4);
    for (const { service, method, code } of edge.handled) {
      assert.deepEqual([service, method, code], ['unknown', 'unknown', 'UNIMPLEMENTED']);
    }
  });
});

test('a call that is no gRPC gets 415', { timeout }, async () => {
  await Edge.run({}, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, classifyPath, { 'content-type': 'application/json' });
      call.stream.end('{}');
      const { fields, endsStream } = await call.headers;
      assert.deepEqual([fields[':status'], endsStream], [415, true]);
    });
  });
});

test('a request that is no POST gets 405, with or without a body', { timeout }, async () => {
  await Edge.run({}, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT']) {
        const call = new RawCall(session, classifyPath, { ':method': method });
        const { fields } = await call.headers;
        assert.deepEqual([fields[':status'], fields.allow], [405, 'POST'], method);
      }
      const call = new RawCall(session, classifyPath);
      call.stream.end(valid);
      assert.equal((await messages(call)).length, 1);
    });
    assert.deepEqual(edge.started, ['Classify']);
  });
});

test('a call that ends with its headers is told at once that its message is missing', {
  timeout,
}, async () => {
  await Edge.run({}, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const ends = (path: string) => new RawCall(session, path, {}, { endStream: true });
      for (const path of [classifyPath, '/grpc.health.v1.Health/Check', '/grpc.health.v1.Health/Watch']) {
        const { fields } = await ends(path).headers;
        assert.deepEqual(
          [fields['grpc-status'], reasonOf(fields)],
          [String(status.UNIMPLEMENTED), 'NO_MESSAGE'],
          path,
        );
      }
      const stream = ends(streamPath);
      assert.equal((await stream.trailers)['grpc-status'], '0');
    });
  });
});

test('headers are bounded, and what an open call keeps of them counts', { timeout }, async () => {
  const options = { inbound: { maxHeldBytes: 2 ** 20 } };
  await Edge.run({ options }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      session.setMaxListeners(0);
      // The limit holds from the moment at which the client has agreed to it.
      const first = new RawCall(session, classifyPath);
      first.stream.end(valid);
      first.stream.resume();
      await first.trailers;
      const large = new RawCall(session, streamPath, { 'x-pad': 'p'.repeat(20_000) });
      await large.trailers;
      assert.equal(large.stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
      const calls = Array.from(
        { length: 100 },
        () => new RawCall(session, streamPath, { 'x-pad': 'p'.repeat(9_000) }),
      );
      await until('calls without a message are ended', () => edge.shed.length > 0);
      await until('half of the limit holds again', () => edge.server.heldBytes <= 2 ** 19);
      const refused = await Promise.any(calls.map(async (call) => (await call.headers).fields));
      assert.equal(reasonOf(refused), 'MEMORY_PRESSURE');
      await until('every call has arrived', () => edge.started.length === calls.length + 1);
      await edge.handledCall(edge.shed.length + 1);
    });
    await until('nothing is held any more', () => edge.server.heldBytes === 0);
  });
});

test('a call that is one too many on its arrival is counted and logged like any other', {
  timeout,
}, async () => {
  await Edge.run({ options: { inbound: { maxHeldBytes: 4_096 } } }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, classifyPath);
      call.stream.end(valid);
      assert.equal(reasonOf((await call.headers).fields), 'MEMORY_PRESSURE');
    });
    const { code, method } = await edge.handledCall();
    assert.deepEqual([method, code, edge.started], ['Classify', 'RESOURCE_EXHAUSTED', ['Classify']]);
    assert.equal(edge.server.heldBytes, 0);
  });
});

test('a deadline of years is one', { timeout }, async () => {
  for (const value of ['597H', '27000H', '99999999H', '2592000S']) {
    assert.equal((await send(valid, { fields: { 'grpc-timeout': value } })).code, status.OK, value);
  }
});

test('a grpc-timeout that is none is INVALID_ARGUMENT and is not quoted', { timeout }, async () => {
  for (const value of ['soon', '5', '5x', '%zz', '-5S', '1.5S', '123456789S']) {
    const ended = await send(valid, { fields: { 'grpc-timeout': value } });
    assert.deepEqual(ended, refused('INVALID_ARGUMENT', 'MALFORMED_TIMEOUT'));
  }
});

test('a grpc-timeout of nothing is DEADLINE_EXCEEDED', { timeout }, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, classifyPath, { 'grpc-timeout': '1n' });
      call.stream.end(valid);
      const { fields } = await call.headers;
      assert.equal(fields['grpc-status'], String(status.DEADLINE_EXCEEDED));
      assert.equal(reasonOf(fields), 'DEADLINE_EXCEEDED');
      assert.equal((await edge.handledCall()).code, 'DEADLINE_EXCEEDED');
    });
  });
});

test('a call whose request never comes ends by the default deadline', { timeout }, async () => {
  await Edge.run({ options: { defaultDeadlineMs: 50 } }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, classifyPath);
      call.stream.write(valid.subarray(0, 7));
      const { fields } = await call.headers;
      assert.equal(fields['grpc-status'], String(status.DEADLINE_EXCEEDED));
    });
  });
});

test('a stream that is reset, or whose connection breaks, is CANCELLED and gives up its work', {
  timeout,
}, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify }, async (edge) => {
    const end = {
      reset: (call: RawCall) => call.stream.close(8),
      break: (call: RawCall) => call.stream.session?.destroy(),
    };
    for (const [number, [text, leave]] of Object.entries(end).entries()) {
      await RawCall.run(edge.port, async (session) => {
        const call = new RawCall(session, streamPath);
        call.stream.write(frame(ClassifyStreamRequest.encode(streamRequest(text)).finish()));
        await held.arrived(text);
        const { signal } = held.callers.get(text) ?? {};
        leave(call);
        assert.equal((await edge.handledCall(number + 1)).code, 'CANCELLED');
        assert.equal(signal?.aborted, true);
        held.answer(text);
      });
    }
    assert.deepEqual(edge.streams, [1, 0, 1, 0]);
  });
});

test('bytes that are no HTTP/2 end their connection and nothing else', { timeout }, async () => {
  await Edge.run({}, async (edge) => {
    const socket = connectSocket(edge.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.end('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, classifyPath);
      call.stream.end(valid);
      assert.equal((await messages(call)).length, 1);
    });
  });
});

test('a caller that does not read its answers is not read from, and loses none of them', {
  timeout,
}, async () => {
  const total = 2_000;
  const text = 'x'.repeat(1_000);
  let asked = 0;
  const options = { maxTextChars: 1_000, streamWindow: 8 };
  const atHand = (item: Parameters<typeof answerTo>[0]): ReturnType<typeof answerTo> => {
    asked++;
    return answerTo(item);
  };
  for (const classify of [atHand, async (item: Parameters<typeof answerTo>[0]) => atHand(item)]) {
    asked = 0;
    await Edge.run({ classify, options }, async (edge) => {
      await RawCall.run(edge.port, async (session) => {
        const call = new RawCall(session, streamPath);
        const message = frame(ClassifyStreamRequest.encode(streamRequest(text)).finish());
        for (let n = 0; n < total; n++) call.stream.write(message);
        call.stream.end();
        await call.headers;
        for (let before = -1; before !== asked; ) {
          before = asked;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        // Answers of a little over 1 KiB: 64 KiB of them fit HTTP/2's window, and the stream's window comes on top.
        assert.ok(asked <= 64 + options.streamWindow, `read ${asked} of ${total}`);
        assert.ok(call.stream.writableLength > 1_000_000, 'the caller is held back');
        assert.equal((await messages(call)).length, total);
        assert.equal((await call.trailers)['grpc-status'], '0');
      });
    });
  }
});

/** Reads a call's messages to the end. */
async function messages(call: RawCall): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of call.stream) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1);
    found.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return found;
}

test('the answer of a raw call decodes', { timeout }, async () => {
  await Edge.run({}, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, classifyPath);
      call.stream.end(valid);
      const [message] = await messages(call);
      assert.ok(message);
      assert.equal(ClassifyResponse.decode(message).classification?.predictions[0]?.label, 'hello');
    });
  });
});

test('an answer that cannot be written, as the caller broke the connection meanwhile, is no fault of the server', {
  timeout,
}, async () => {
  const texts = ['a', 'b', 'c'].map((text) =>
    frame(ClassifyStreamRequest.encode(streamRequest(text)).finish()),
  );
  await Edge.run({}, async (edge) => {
    const socket = connectSocket(edge.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    // A reset of a stream that nobody opened is against RFC 9113, section 6.4: it ends the connection.
    const reset = http2Frame(3, 0, 3, Buffer.from([0, 0, 0, 8]));
    const call = [callHeaders(1, streamPath), http2Frame(0, 0, 1, Buffer.concat(texts))];
    socket.write(Buffer.concat([magic, settings, ...call, reset]));
    assert.equal((await edge.handledCall()).code, 'CANCELLED');
    socket.destroy();
  });
});
