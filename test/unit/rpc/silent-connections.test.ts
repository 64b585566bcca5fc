import assert from 'node:assert/strict';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { ClassifyStreamRequest } from '../../../generated/verdict/v1/classifier_service.js';
import { streamRequest } from '../../support/requests.js';
import { until } from '../../support/until.js';
import { callHeaders, frame, http2Frame, magic, settings } from '../../support/wire-frames.js';
import { Edge } from './edge.js';
import { RawCall, streamPath } from './raw-call.js';

const resetFrame = 3;
const pingFrame = 6;
const windowFrame = 8;
const ack = 1;

/** Sends these bytes and reads what comes back. */
function open(port: number, ...bytes: readonly Buffer[]): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.resume();
  socket.write(Buffer.concat([magic, settings, ...bytes]));
  return socket;
}

/** Calls that are dropped as soon as they are made: more than nghttp2 takes at once. */
const dropped = Array.from({ length: 1_500 }, (_, n) => {
  const code = Buffer.alloc(4);
  code.writeUInt32BE(constants.NGHTTP2_CANCEL);
  return [callHeaders(2 * n + 1, streamPath), http2Frame(resetFrame, 0, 2 * n + 1, code)];
}).flat();

describe('a connection that is mute, or of which Node reads nothing more', { timeout: 60_000 }, () => {
  it('ends when a ping is not answered; those that are slow, or have nothing to say, stand', async () => {
    const total = 300;
    const text = 'x'.repeat(1_000);
    const connection = { keepaliveTimeoutMs: 1_000 };
    const options = { connection, maxTextChars: 1_000, streamWindow: 8 };
    await Edge.run({ options }, async (edge) => {
      await RawCall.run(edge.port, async (session) => {
        // It takes no answer for now.
        const slow = new RawCall(session, streamPath);
        const message = frame(ClassifyStreamRequest.encode(streamRequest(text)).finish());
        for (let n = 0; n < total; n++) slow.stream.write(message);
        slow.stream.end();
        await slow.headers;
        const idle = connectHttp2(`http://127.0.0.1:${edge.port}`);
        idle.on('error', () => {});
        // It answers no ping, but says something else all the time.
        const talker = open(edge.port, callHeaders(1, streamPath));
        const more = http2Frame(windowFrame, 0, 0, Buffer.from([0, 0, 0, 1]));
        const talking = setInterval(() => talker.write(more), 50);
        await until('all are open', () => edge.opened === 3);
        const mute = open(edge.port, callHeaders(1, streamPath));
        const flood = open(edge.port, ...dropped);
        await until('both have ended', () => edge.closed.length === 2, 30_000);
        // Node 24 hears of too many resets from nghttp2, and ends the connection itself.
        assert.ok(edge.closed.includes('unanswered'));
        assert.ok(
          edge.closed.every((end) => end === 'unanswered' || end === 'protocol'),
          edge.closed.join(),
        );
        await until('their ends are seen', () => mute.destroyed && flood.destroyed);
        assert.deepEqual([idle.destroyed, talker.destroyed, slow.stream.destroyed], [false, false, false]);
        clearInterval(talking);
        for (const one of [idle, talker]) one.destroy();
        slow.stream.resume();
        assert.equal((await slow.trailers)['grpc-status'], '0');
      });
    });
  });
});

describe('a connection that is idle', { timeout: 60_000 }, () => {
  it('is not pinged for its answers to pings', async () => {
    // The watch looks every 20 ms.
    await Edge.run({ options: { connection: { agedConnectionIdleMs: 80 } } }, async (edge) => {
      const pings = { idle: 0, talker: 0 };
      const idle = connectHttp2(`http://127.0.0.1:${edge.port}`);
      idle.on('error', () => {}).on('ping', () => pings.idle++);
      const talker = connectHttp2(`http://127.0.0.1:${edge.port}`);
      talker
        .on('error', () => {})
        .on('ping', () => {
          pings.talker++;
          // After its answer, so that this is what came last.
          setImmediate(() => talker.ping(() => {}));
        });
      await until('the talker was pinged 30 times', () => pings.talker >= 30);
      for (const one of [idle, talker]) one.destroy();
      assert.ok(pings.idle < 10, `the idle one was pinged ${pings.idle} times`);
    });
  });

  it('is pinged again after a call that came in one piece with its answer', async () => {
    await Edge.run({ options: { connection: { agedConnectionIdleMs: 80 } } }, async (edge) => {
      let pings = 0;
      const socket = open(edge.port);
      socket.on('data', (bytes: Buffer) => {
        // Whatever else comes, a ping of the server is a frame of its own, and has no flags.
        const at = bytes.indexOf(Buffer.from([0, 0, 8, pingFrame, 0, 0, 0, 0, 0]));
        if (at < 0) return;
        const answer = http2Frame(pingFrame, ack, 0, bytes.subarray(at + 9, at + 17));
        socket.write(Buffer.concat([answer, callHeaders(2 * pings + 1, streamPath)]));
        pings++;
      });
      await until('it was pinged 5 times', () => pings >= 5);
      socket.destroy();
    });
  });
});
