import assert from 'node:assert/strict';
import { once, setMaxListeners } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { collect } from '../support/collect.js';
import { outcomesOf } from '../support/outcomes.js';
import { ServedModels } from '../support/served-models.js';
import { magic, settings } from '../support/wire-frames.js';

/** A connection to the server that is cut when the test ends. */
async function connected(t: TestContext, served: ServedModels): Promise<Socket> {
  const [host, port] = served.server.address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => {});
  socket.resume();
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Checks that the server still does what it is there for, and that nothing is left over. */
async function assertWell(served: ServedModels): Promise<void> {
  const client = served.client();
  assert.deepEqual(await outcomesOf([client.classify('the coach', { cache: 'bypass' })]), { OK: 1 });
  assert.equal(await client.health(), 'serving');
  await served.untilQuiet();
}

describe('the server survives', () => {
  it('callers that cancel as soon as they have asked, in their hundreds', async (t) => {
    const served = await ServedModels.start(t, ['topics']);
    const client = served.client();
    for (let round = 0; round < 6; round++) {
      const leave = new AbortController();
      const { signal } = leave;
      setMaxListeners(0, signal);
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < 40; i++) {
        const text = `the coach ${round} ${i}`;
        calls.push(client.classify(text, { signal }));
        calls.push(client.classifyBatch([text, `${text}!`], { signal }));
        calls.push(collect(client.classifyStream([text, `${text}?`], { signal })));
      }
      // Some before they are sent, some while they are on their way, some in the midst of it.
      for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
      leave.abort();
      const outcomes = await outcomesOf(calls);
      assert.deepEqual(
        Object.keys(outcomes).filter((outcome) => outcome !== 'OK' && outcome !== 'CANCELLED'),
        [],
      );
    }
    await assertWell(served);
  });

  it('connections that are reset in the middle of calls', async (t) => {
    const served = await ServedModels.start(t, ['topics']);
    for (let round = 0; round < 10; round++) {
      const socket = await connected(t, served);
      const session = connectHttp2('http://localhost', { createConnection: () => socket });
      session.on('error', () => {});
      for (let i = 0; i < 20; i++) {
        const stream = session.request({
          ':method': 'POST',
          ':path': `/verdict.v1.ClassifierService/${i % 2 === 0 ? 'Classify' : 'ClassifyStream'}`,
          'content-type': 'application/grpc',
          te: 'trailers',
        });
        stream.on('error', () => {});
        // A request whose text is 'team'; or, every third time, no more than a part of it.
        const frame = Buffer.from([0, 0, 0, 0, 6, i % 2 === 0 ? 0x1a : 0x22, 4, 0x74, 0x65, 0x61, 0x6d]);
        stream.write(i % 3 === 0 ? frame.subarray(0, 7) : frame);
      }
      await new Promise((written) => session.ping(written));
      socket.resetAndDestroy();
    }
    await assertWell(served);
  });

  it('bytes that are no HTTP/2: noise, HTTP/1.1, TLS, frames that make no sense', async (t) => {
    // Some of them are told GOAWAY and closed by the next ping only.
    const served = await ServedModels.start(t, ['topics'], {
      VERDICT_KEEPALIVE_TIME_MS: '1000',
      VERDICT_KEEPALIVE_TIMEOUT_MS: '5000',
    });
    const noise = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919 + 13) % 256));
    const messages = [
      noise,
      'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n',
      Buffer.from('160301020001000001fc0303', 'hex'),
      Buffer.concat([magic, noise]),
      // A frame that says it has 16 MB; HEADERS on stream 0; DATA on a stream that was never opened.
      Buffer.concat([magic, settings, Buffer.from('ffffff000000000001', 'hex')]),
      Buffer.concat([magic, settings, Buffer.from('000001010400000000ff', 'hex')]),
      Buffer.concat([magic, settings, Buffer.from('00000100010000000700', 'hex')]),
    ];
    const closed = [...messages, ...messages, ...messages].map(async (message) => {
      const socket = await connected(t, served);
      socket.end(message);
      if (!socket.closed) await once(socket, 'close');
    });
    await Promise.all(closed);
    await assertWell(served);
  });

  it('hundreds of peers that connect and say nothing, or next to nothing', async (t) => {
    const served = await ServedModels.start(t, ['topics']);
    const sockets = await Promise.all(Array.from({ length: 300 }, () => connected(t, served)));
    for (const [i, socket] of sockets.entries()) {
      if (i % 3 === 0) socket.write(magic.subarray(0, i % magic.length));
      if (i % 3 === 1) socket.write(Buffer.concat([magic, settings]));
    }
    // Slowly, one byte at a time, while others are served.
    for (const byte of magic.toString()) {
      for (const socket of sockets.filter((_, i) => i % 30 === 2)) socket.write(byte);
      assert.deepEqual(await outcomesOf([served.client().classify(`the coach ${byte}`)]), { OK: 1 });
    }
    // Half of them hang up without a farewell, the others are there when the server stops.
    for (const socket of sockets.slice(150)) socket.resetAndDestroy();
    await assertWell(served);
  });

  it('two thousand streams of one input each, and answers every one', async (t) => {
    const served = await ServedModels.start(t, ['topics']);
    const client = served.client();
    const streams = Array.from({ length: 2000 }, (_, i) =>
      collect(client.classifyStream([`the coach ${i}`])),
    );
    const results = (await Promise.all(streams)).flat();
    assert.equal(results.length, 2000);
    assert.ok(results.every(({ ok }) => ok));
    await assertWell(served);
  });
});
