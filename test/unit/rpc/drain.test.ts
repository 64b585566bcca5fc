import assert from 'node:assert/strict';
import { connect, constants } from 'node:http2';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { Status } from '../../../generated/google/rpc/status.js';
import { ClassifyRequest, ClassifyStreamRequest } from '../../../generated/verdict/v1/classifier_service.js';
import { messagesOf } from '../../support/raw-messages.js';
import { batchRequest, streamRequest, textRequest } from '../../support/requests.js';
import { StreamCall, short } from '../../support/stream-call.js';
import { until } from '../../support/until.js';
import { frame } from '../../support/wire-frames.js';
import { decodeStatus, detailsOf } from './details.js';
import { answerTo, Edge, HeldClassifier, timeout, unary } from './edge.js';
import { classifyPath, RawCall, streamPath } from './raw-call.js';

const never = new AbortController().signal;

test('unary calls and batches that have arrived are answered, then the server is gone', {
  timeout,
}, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify }, async (edge) => {
    const client = edge.classifier;
    const one = unary(client.classify.bind(client), textRequest('a'), new Metadata());
    const many = unary(client.batchClassify.bind(client), batchRequest(['b', 'c']), new Metadata());
    await Promise.all(['a', 'b', 'c'].map((text) => held.arrived(text)));
    const drained = edge.server.drain(never);
    for (const text of ['a', 'b', 'c']) held.answer(text);
    await drained;
    assert.equal((await one).error, null);
    assert.equal((await many).response?.results.length, 2);
    const late = await unary(client.classify.bind(client), textRequest('late'), new Metadata());
    assert.equal(late.error?.code, status.UNAVAILABLE);
    assert.equal(held.callers.has('late'), false);
  });
});

test('answers that a caller has not read yet are waited for, until the drain is given up', {
  timeout,
}, async () => {
  const text = 'x'.repeat(1_000);
  const total = 60;
  const options = { maxTextChars: 1_000, streamWindow: 100 };
  for (const giveUp of [false, true]) {
    await Edge.run({ options }, async (edge) => {
      const session = connect(`http://127.0.0.1:${edge.port}`, { settings: { initialWindowSize: 4_096 } });
      session.on('error', () => {});
      const call = new RawCall(session, streamPath);
      const message = frame(ClassifyStreamRequest.encode(streamRequest(text)).finish());
      for (let n = 0; n < total; n++) call.stream.write(message);
      await call.headers;
      await until('all is answered', () => edge.server.heldBytes > (total - 10) * 1_000);
      const stop = new AbortController();
      let isDrained = false;
      const drained = edge.server.drain(stop.signal).then(() => {
        isDrained = true;
      });
      const { code } = await edge.handledCall();
      assert.equal(code, 'UNAVAILABLE');
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(isDrained, false);
      if (giveUp) stop.abort();
      else {
        assert.equal((await messagesOf(call.stream)).length, total);
        call.stream.end();
        assert.equal((await call.trailers)['grpc-status'], String(status.UNAVAILABLE));
      }
      await drained;
      session.destroy();
    });
  }
});

test('open streams answer what they hold, then end with UNAVAILABLE', { timeout }, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify }, async (edge) => {
    const idle = new StreamCall(edge.classifier);
    const plain = new StreamCall(edge.classifier).send(streamRequest('a'), streamRequest('b'));
    const asking = new StreamCall(edge.classifier);
    asking.send(ClassifyStreamRequest.fromPartial({ settings: { sendEnd: true } }), streamRequest('c'));
    idle.send(ClassifyStreamRequest.fromPartial({ settings: {} }));
    await Promise.all(['a', 'b', 'c'].map((text) => held.arrived(text)));
    while (edge.streams.length < 3) await new Promise((resolve) => setImmediate(resolve));
    const drained = edge.server.drain(never);
    for (const text of ['b', 'a', 'c']) held.answer(text);
    assert.deepEqual((await plain.rest()).map(short), ['0:=a', '1:=b']);
    assert.deepEqual((await asking.rest()).map(short), ['0:=c', '1:end']);
    assert.deepEqual(await idle.rest(), []);
    for (const stream of [idle, plain, asking]) {
      const ended = await stream.status;
      assert.equal(ended.code, status.UNAVAILABLE);
      assert.equal(detailsOf(Object.assign(new Error(), ended)).reason, 'DRAINING');
    }
    await drained;
    assert.equal(edge.streams.at(-1), 0);
  });
});

test('a call that meets the drain is refused in the way that clients retry by themselves', {
  timeout,
}, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const begun = new RawCall(session, classifyPath);
      begun.stream.end(frame(ClassifyRequest.encode(textRequest('a')).finish()));
      await held.arrived('a');
      const drained = edge.server.drain(never);
      // The client has not heard of it yet.
      const late = new RawCall(session, classifyPath);
      late.stream.end(frame(ClassifyRequest.encode(textRequest('late')).finish()));
      await late.trailers;
      assert.equal(late.stream.rstCode, constants.NGHTTP2_REFUSED_STREAM);
      held.answer('a');
      begun.stream.resume();
      assert.equal((await begun.trailers)['grpc-status'], '0');
      await drained;
      assert.deepEqual(edge.started, ['Classify']);
    });
  });
});

test('calls whose request has not arrived, watchers and reflection are ended at once', {
  timeout,
}, async () => {
  await Edge.run({}, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const paths = [
        classifyPath,
        '/grpc.health.v1.Health/Watch',
        '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      ];
      const calls = paths.map((path) => new RawCall(session, path));
      for (const call of calls) call.stream.write(Buffer.alloc(3));
      while (edge.started.length < calls.length) await new Promise((resolve) => setImmediate(resolve));
      const drained = edge.server.drain(never);
      for (const call of calls) {
        const { fields } = await call.headers;
        assert.equal(fields['grpc-status'], String(status.UNAVAILABLE));
        const details = Status.decode(Buffer.from(String(fields['grpc-status-details-bin']), 'base64'));
        assert.equal(decodeStatus(details).reason, 'DRAINING');
        call.stream.close();
      }
      await drained;
    });
  });
});

test('what is left when the signal is aborted is ended with UNAVAILABLE, and its work told', {
  timeout,
}, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify }, async (edge) => {
    const client = edge.classifier;
    const one = unary(client.classify.bind(client), textRequest('a'), new Metadata());
    const stream = new StreamCall(edge.classifier).send(streamRequest('b'));
    await Promise.all(['a', 'b'].map((text) => held.arrived(text)));
    const signals = ['a', 'b'].map((text) => held.callers.get(text)?.signal);
    const patience = new AbortController();
    const drained = edge.server.drain(patience.signal);
    patience.abort();
    await drained;
    assert.equal((await one).error?.code, status.UNAVAILABLE);
    assert.equal((await stream.status).code, status.UNAVAILABLE);
    assert.deepEqual(
      signals.map((signal) => signal?.aborted),
      [true, true],
    );
  });
});

test('a caller that reads nothing cannot hold up the drain beyond the signal', { timeout }, async () => {
  await Edge.run({ classify: (item) => answerTo(item), options: { maxTextChars: 1_000 } }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, '/verdict.v1.ClassifierService/ClassifyStream');
      const message = frame(ClassifyStreamRequest.encode(streamRequest('x'.repeat(1_000))).finish());
      for (let n = 0; n < 500; n++) call.stream.write(message);
      await call.headers;
      const patience = new AbortController();
      const drained = edge.server.drain(patience.signal);
      patience.abort();
      await drained;
      await edge.server.close();
      await call.trailers;
    });
  });
});

test('close without a drain ends every call and every connection', { timeout }, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify }, async (edge) => {
    const stream = new StreamCall(edge.classifier).send(streamRequest('a'));
    await held.arrived('a');
    await edge.server.close();
    assert.equal((await stream.status).code, status.UNAVAILABLE);
    assert.deepEqual(
      edge.handled.map(({ code }) => code),
      ['UNAVAILABLE'],
    );
    assert.equal(held.callers.get('a')?.signal.aborted, true);
  });
});

test('a port that is taken is an error of start, and the server can be closed all the same', {
  timeout,
}, async () => {
  await Edge.run({}, async (edge) => {
    await assert.rejects(
      Edge.run({ options: { port: edge.port } }, async () => {}),
      { code: 'EADDRINUSE' },
    );
  });
});
