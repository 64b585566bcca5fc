import assert from 'node:assert/strict';
import { connect, constants } from 'node:http2';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { ServerReflectionRequest } from '../../../generated/grpc/reflection/v1/reflection.js';
import { ClassifyRequest } from '../../../generated/verdict/v1/classifier_service.js';
import { HeldBytes, type Holder } from '../../../src/rpc/held-bytes.js';
import { textRequest } from '../../support/requests.js';
import { until } from '../../support/until.js';
import { frame } from '../../support/wire-frames.js';
import { statusOfTrailers } from './details.js';
import { Edge, HeldClassifier, timeout } from './edge.js';
import { classifyPath, RawCall, streamPath } from './raw-call.js';

const reflectionPath = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const watchPath = '/grpc.health.v1.Health/Watch';
const valid = frame(ClassifyRequest.encode(textRequest('hello')).finish());

test('the largest and idlest calls go first, and no more of them than need be', () => {
  const connection = { heldBytes: 0 };
  const now = performance.now();
  const ended: string[] = [];
  const holders: Holder[] = [];
  const held = new HeldBytes({
    maxBytes: 1_000,
    maxConnectionBytes: 10_000,
    maxPeerBytes: 10_000,
    holders: () => holders,
  });
  const add = (name: string, bytes: number, idleMs: number) => {
    const holder = {
      connection,
      held: { bytes },
      activeAt: now - idleMs,
      shed() {
        ended.push(name);
        held.remove(connection, holder.held.bytes);
        holder.held.bytes = 0;
      },
    };
    holders.push(holder);
    held.add(connection, bytes);
  };
  add('small and idle', 10, 5_000);
  add('large at work', 300, 0);
  add('large and idle', 200, 60_000);
  add('small at work', 20, 0);
  assert.deepEqual(ended, []);
  add('newest', 500, 0);
  assert.deepEqual(ended, ['large and idle']);
  assert.equal(held.bytes, 830);
});

test('what the connections of one peer hold has a limit, and only their calls are ended for it', () => {
  const [loud, quiet] = [{ heldBytes: 0 }, { heldBytes: 0 }];
  const ended: string[] = [];
  const holders: Holder[] = [];
  const held = new HeldBytes({
    ...{ maxBytes: 2_000, maxConnectionBytes: 900, maxPeerBytes: 1_000 },
    holders: () => holders,
    onShed: (reason) => ended.push(reason),
  });
  const add = (peer: typeof loud, bytes: number, idleMs: number) => {
    const connection = { heldBytes: 0, peer };
    const holder = {
      connection,
      held: { bytes },
      activeAt: performance.now() - idleMs,
      shed() {
        held.remove(connection, holder.held.bytes);
        holder.held.bytes = 0;
      },
    };
    holders.push(holder);
    held.add(connection, bytes);
  };
  add(quiet, 400, 60_000);
  for (let n = 0; n < 4; n++) add(loud, 250, 0);
  assert.deepEqual(ended, []);
  add(loud, 250, 0);
  assert.deepEqual(ended, ['peer', 'peer']);
  assert.deepEqual([loud.heldBytes, quiet.heldBytes, held.bytes], [750, 400, 1_150]);
});

test('streams that withhold the ends of their messages are ended beyond the connection limit, others go on', {
  timeout,
}, async () => {
  const options = { maxTextChars: 8192, inbound: { maxHeldBytes: 2 ** 20 } };
  await Edge.run({ options }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      session.setMaxListeners(0);
      const part = frame(Buffer.alloc(50_000), { length: 100_000 });
      const calls = Array.from({ length: 40 }, () => new RawCall(session, streamPath));
      for (const call of calls) call.stream.write(part);
      await until('some are ended', () => edge.shed.length > 0);
      await RawCall.run(edge.port, async (other) => {
        const call = new RawCall(other, classifyPath);
        call.stream.end(valid);
        call.stream.resume();
        assert.equal((await call.trailers)['grpc-status'], '0');
      });
      await until('half of the limit holds again', () => edge.server.heldBytes <= 2 ** 19);
      // Its connection is all that its peer has, but for one call.
      assert.ok(edge.shed.every((reason) => reason === 'connection' || reason === 'peer'));
      const refused = await Promise.any(calls.map(async (call) => (await call.headers).fields));
      assert.equal(refused['grpc-status'], String(status.RESOURCE_EXHAUSTED));
      const { reason, message } = statusOfTrailers(refused);
      assert.equal(reason, 'MEMORY_PRESSURE');
      assert.match(message, /more than 0\.5 MiB/);
    });
    await until('nothing is held any more', () => edge.server.heldBytes === 0);
  });
});

test('connections of one peer share what it may hold, whomever its headers name', { timeout }, async () => {
  const options = { maxTextChars: 8192, inbound: { maxHeldBytes: 2 ** 20 } };
  await Edge.run({ options }, async (edge) => {
    const part = frame(Buffer.alloc(50_000), { length: 100_000 });
    const sessions = Array.from({ length: 20 }, () => {
      const session = connect(`http://127.0.0.1:${edge.port}`);
      session.on('error', () => {});
      return session;
    });
    for (const [n, session] of sessions.entries()) {
      new RawCall(session, streamPath, { 'x-forwarded-for': `203.0.113.${n}` }).stream.write(part);
    }
    await until('some are ended', () => edge.shed.length > 0);
    assert.deepEqual(new Set(edge.shed), new Set(['peer']));
    for (const session of sessions) session.destroy();
    await until('nothing is held any more', () => edge.server.heldBytes === 0);
  });
});

test('answers that nobody takes count, of unary calls that have ended too, and their streams are reset', {
  timeout,
}, async () => {
  const options = { maxTextChars: 8192, inbound: { maxHeldBytes: 2 ** 20 } };
  await Edge.run({ options }, async (edge) => {
    const session = connect(`http://127.0.0.1:${edge.port}`, { settings: { initialWindowSize: 0 } });
    session.setMaxListeners(0);
    const symbol = ServerReflectionRequest.fromPartial({
      messageRequest: { $case: 'fileContainingSymbol', value: 'verdict.v1.ClassifierService' },
    });
    const bodies = [
      { path: reflectionPath, body: frame(ServerReflectionRequest.encode(symbol).finish()) },
      { path: classifyPath, body: frame(ClassifyRequest.encode(textRequest('x'.repeat(8_000))).finish()) },
    ];
    const codes: number[] = [];
    for (const { path, body } of bodies) {
      edge.shed.length = 0;
      codes.length = 0;
      for (let n = 0; edge.shed.length === 0 && n < 400; n++) {
        const call = new RawCall(session, path);
        call.stream.end(body);
        call.stream.once('close', () => codes.push(call.stream.rstCode ?? 0));
        // One that is ended before its headers has left has none.
        await Promise.race([call.headers, call.trailers]);
        assert.ok(edge.server.heldBytes <= 2 ** 19);
      }
      await until('streams are reset', () => codes.includes(constants.NGHTTP2_ENHANCE_YOUR_CALM));
    }
    session.destroy();
    await until('nothing is held any more', () => edge.server.heldBytes === 0);
  });
});

test('requests that wait for their answers count', { timeout }, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, classifyPath);
      call.stream.end(frame(ClassifyRequest.encode(textRequest('a'.repeat(100))).finish()));
      await held.arrived('a'.repeat(100));
      assert.ok(edge.server.heldBytes > 100);
      held.answer('a'.repeat(100));
      call.stream.resume();
      assert.equal((await call.trailers)['grpc-status'], '0');
      await until('nothing is held any more', () => edge.server.heldBytes === 0);
    });
  });
});

test('a request that does not arrive in full within its time is ended; waiting for the next one is no such thing', {
  timeout,
}, async () => {
  await Edge.run({ options: { inbound: { messageTimeoutMs: 200 } } }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const idle = new RawCall(session, streamPath);
      const begun = {
        'half of a message': [streamPath, valid.subarray(0, 8)],
        'half of a header': [streamPath, valid.subarray(0, 3)],
        'a message without a half-close': [classifyPath, valid],
        'no request to watch': [watchPath, Buffer.alloc(0)],
      } as const;
      for (const [name, [path, bytes]] of Object.entries(begun)) {
        const call = new RawCall(session, path, { 'grpc-timeout': '1H' });
        call.stream.write(bytes);
        const { fields } = await call.headers;
        assert.equal(fields['grpc-status'], String(status.DEADLINE_EXCEEDED), name);
        assert.deepEqual(statusOfTrailers(fields), {
          reason: 'MESSAGE_TIMEOUT',
          message: 'the request did not arrive in full within 200 ms',
        });
      }
      assert.equal(idle.stream.closed, false);
    });
  });
});

test('a caller that has its status and goes on all the same is reset', { timeout }, async (t) => {
  await Edge.run({ options: { inbound: { messageTimeoutMs: 200 } } }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, classifyPath);
      call.stream.write(frame(Buffer.alloc(0), { length: 2 ** 30 }));
      const { fields } = await call.headers;
      assert.equal(fields['grpc-status'], String(status.RESOURCE_EXHAUSTED));
      const sending = setInterval(() => call.stream.write(Buffer.alloc(1_000)), 10);
      t.after(() => clearInterval(sending));
      await call.trailers;
      assert.equal(call.stream.rstCode, constants.NGHTTP2_NO_ERROR);
    });
  });
});

test('a stream without messages ends after the idle limit, a health watch does not', {
  timeout,
}, async () => {
  await Edge.run({ options: { inbound: { streamIdleTimeoutMs: 200 } } }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const watch = new RawCall(session, watchPath);
      watch.stream.end(frame(Buffer.alloc(0)));
      await watch.headers;
      for (const path of [streamPath, reflectionPath]) {
        const call = new RawCall(session, path);
        const { fields } = await call.headers;
        assert.equal(fields['grpc-status'], String(status.DEADLINE_EXCEEDED));
        assert.equal(statusOfTrailers(fields).reason, 'STREAM_IDLE');
      }
      assert.equal(watch.stream.closed, false);
    });
  });
});
