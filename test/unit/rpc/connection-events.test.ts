import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ClassifyRequest, ClassifyStreamRequest } from '../../../generated/verdict/v1/classifier_service.js';
import { CredentialWatch } from '../../../src/tls/credential-watch.js';
import { Authority } from '../../support/certificates.js';
import { streamRequest, textRequest } from '../../support/requests.js';
import { serverPair, TlsFiles } from '../../support/tls-files.js';
import { until } from '../../support/until.js';
import { callHeaders, frame, http2Frame, magic, settings } from '../../support/wire-frames.js';
import { Edge, HeldClassifier } from './edge.js';
import { classifyPath, RawCall, streamPath } from './raw-call.js';

const PATIENCE = { timeout: 30_000 };
const valid = frame(ClassifyRequest.encode(textRequest('hello')).finish());
const goawayFrame = 7;
const pingFrame = 6;

/** A connection on which these bytes were sent. */
function sent(edge: Edge, ...bytes: Buffer[]): Socket {
  const socket = connect({ port: edge.port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.resume();
  if (bytes.length > 0) socket.write(Buffer.concat(bytes));
  return socket;
}

/** GOAWAY with this code. */
function goaway(code: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(code, 4);
  return http2Frame(goawayFrame, 0, 0, payload);
}

describe('the end of a connection', PATIENCE, () => {
  const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR } = constants;
  const opening = [magic, settings];
  const leaves = (socket: Socket) => void socket.end();
  const breaks = (socket: Socket) => void socket.resetAndDestroy();
  const stays = () => {};
  const cases: Readonly<
    Record<string, [bytes: Buffer[], then: (socket: Socket) => void, end: string, breaches: string[]]>
  > = {
    'a client that leaves': [opening, leaves, 'client', []],
    'a connection that breaks': [opening, breaks, 'client', []],
    'a connection of which nothing comes': [[], leaves, 'client', []],
    'GOAWAY without an error': [[...opening, goaway(NGHTTP2_NO_ERROR)], stays, 'client', []],
    'GOAWAY with one': [[...opening, goaway(NGHTTP2_INTERNAL_ERROR)], stays, 'protocol', ['goaway']],
    'HTTP/1.1': [[Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')], stays, 'protocol', ['not_http2']],
    'a frame that must not come': [
      [...opening, http2Frame(0, 0, 0, Buffer.from('x'))],
      stays,
      'protocol',
      ['frame'],
    ],
  };
  for (const [what, [bytes, then, end, breaches]] of Object.entries(cases)) {
    it(`is told with its reason: ${what}`, async () => {
      await Edge.run({}, async (edge) => {
        const socket = sent(edge, ...bytes);
        await until('it is open', () => edge.opened === 1);
        // What was sent has arrived by then: a ping, or what it is told by, comes behind it.
        then(socket);
        await until('it has ended', () => edge.closed.length === 1);
        assert.deepEqual([edge.closed, edge.breaches], [[end], breaches]);
        socket.destroy();
      });
    });
  }

  it('is told with its reason: pings faster than their answers are read', async () => {
    await Edge.run({}, async (edge) => {
      const ping = http2Frame(pingFrame, 0, 0, Buffer.alloc(8));
      const socket = sent(edge, ...opening);
      socket.pause();
      const thousand = Buffer.concat(Array.from({ length: 1_000 }, () => ping));
      while (edge.closed.length === 0) {
        await new Promise((resolve) =>
          socket.destroyed ? resolve(undefined) : socket.write(thousand, resolve),
        );
      }
      assert.deepEqual([edge.closed, edge.breaches], [['protocol'], ['flood']]);
      socket.destroy();
    });
  });

  it('is told with its reason: a ping that is not answered', async () => {
    const connection = { keepaliveTimeMs: 100, keepaliveTimeoutMs: 100 };
    await Edge.run({ options: { connection } }, async (edge) => {
      const socket = sent(edge, ...opening);
      await until('it has ended', () => edge.closed.length === 1);
      assert.deepEqual([edge.closed, edge.breaches], [['unanswered'], []]);
      socket.destroy();
    });
  });

  it('is told with its reason: the maximum age', async () => {
    await Edge.run({ options: { connection: { maxConnectionAgeMs: 100 } } }, async (edge) => {
      await RawCall.run(edge.port, async () => {
        await until('it has ended', () => edge.closed.length === 1);
        assert.deepEqual(edge.closed, ['age']);
      });
    });
  });

  it('is told with its reason: the server stops', async () => {
    await Edge.run({}, async (edge) => {
      await RawCall.run(edge.port, async () => {
        await until('it is open', () => edge.opened === 1);
        await edge.server.close();
        await until('it has ended', () => edge.closed.length === 1);
        assert.deepEqual(edge.closed, ['drain']);
      });
    });
  });

  it('is told with its reason: a handshake that fails', async (t) => {
    const { cert, key } = new TlsFiles(t, serverPair(new Authority()));
    const paths = { cert, key, clientCa: undefined };
    const source = await CredentialWatch.open({ paths, settings: paths, hooks: {} });
    const tls = { credentials: source, clientAuth: 'request' as const };
    await Edge.run({ options: { tls } }, async (edge) => {
      const sockets = [sent(edge, Buffer.from('GET / HTTP/1.1\r\n\r\n')), sent(edge)];
      await until('both are open', () => edge.opened === 2);
      for (const socket of sockets) socket.end();
      await until('both have ended', () => edge.closed.length === 2);
      assert.deepEqual(edge.closed, ['tls', 'tls']);
    });
  });

  it('is told for each connection that was let in, and for no other', async () => {
    await Edge.run({ options: { connection: { maxConnectionsPerPeer: 2 } } }, async (edge) => {
      const sockets = Array.from({ length: 5 }, () => sent(edge, ...opening));
      await until('three are refused', () => edge.refused.length === 3);
      assert.equal(edge.opened, 2);
      for (const socket of sockets) socket.destroy();
      await until('two have ended', () => edge.closed.length === 2);
      assert.equal(edge.server.connections, 0);
    });
  });
});

describe('the reset of a stream', PATIENCE, () => {
  const item = frame(ClassifyStreamRequest.encode(streamRequest('a')).finish());

  it('is told with who did it, and the code', async () => {
    const codes = {
      2: 'internal_error',
      3: 'protocol_error',
      7: 'refused_stream',
      8: 'cancel',
      200: 'other',
    };
    const held = new HeldClassifier();
    await Edge.run({ classify: held.classify }, async (edge) => {
      await RawCall.run(edge.port, async (session) => {
        for (const code of Object.keys(codes)) {
          const before = edge.resets.length;
          const call = new RawCall(session, streamPath);
          call.stream.write(item);
          await until('it has begun', () => edge.streams.at(-1) === 1);
          call.stream.close(Number(code));
          await until('the reset is told', () => edge.resets.length > before);
        }
        assert.deepEqual(
          edge.resets,
          Object.values(codes).map((code) => `client: ${code}`),
        );
      });
    });
  });

  it('is not told of calls that end well, that are refused, or whose connection ends', async () => {
    const held = new HeldClassifier();
    await Edge.run({ classify: held.classify }, async (edge) => {
      await RawCall.run(edge.port, async (session) => {
        const good = new RawCall(session, classifyPath);
        good.stream.end(valid);
        good.stream.resume();
        await held.arrived('hello');
        held.answer('hello');
        await good.trailers;
        // Refused while its caller has not said all.
        const refused = new RawCall(session, '/nosuch.Service/Method');
        await refused.trailers;
        new RawCall(session, streamPath).stream.write(item);
        await held.arrived('a');
        session.destroy();
        await edge.handledCall(3);
      });
      await until('the connection has ended', () => edge.closed.length === 1);
      assert.deepEqual(edge.resets, []);
    });
  });

  it('by the server is told: of a call that does not take its answer', async () => {
    const options = { inbound: { messageTimeoutMs: 200 } };
    await Edge.run({ options }, async (edge) => {
      const socket = sent(
        edge,
        magic,
        // No window: nothing of an answer may be sent.
        http2Frame(4, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])),
        callHeaders(1, classifyPath),
        http2Frame(0, 1, 1, valid),
      );
      await until('it is reset', () => edge.resets.length === 1);
      assert.deepEqual(edge.resets, ['server: cancel']);
      socket.destroy();
    });
  });
});

describe('a call that is refused at the edge', PATIENCE, () => {
  const gzip = { 'grpc-encoding': 'gzip' };
  const squeezed = frame(gzipSync(Buffer.alloc(1 << 20)), { compressed: true });
  const fields = Buffer.alloc(20_000, Buffer.from([0x2a, 0]));
  const cases: Readonly<
    Record<string, [path: string, body: Buffer, fields?: Readonly<Record<string, string>>]>
  > = {
    malformed_message: [classifyPath, frame(Buffer.from([0x1a, 200, 1]))],
    malformed_timeout: [classifyPath, valid, { 'grpc-timeout': 'soon' }],
    message_too_large: [classifyPath, squeezed, gzip],
    too_many_fields: [classifyPath, frame(fields)],
    unsupported_compression: [classifyPath, squeezed, { 'grpc-encoding': 'br' }],
    not_a_call: [classifyPath, valid, { ':method': 'PUT' }],
  };
  for (const [refusal, [path, body, fields = {}]] of Object.entries(cases)) {
    it(`is told: ${refusal}`, async () => {
      await Edge.run({ options: { maxTextChars: 5_000 } }, async (edge) => {
        await RawCall.run(edge.port, async (session) => {
          const call = new RawCall(session, path, fields);
          call.stream.end(body);
          await call.trailers;
          assert.deepEqual(edge.callsRefused, [refusal]);
        });
      });
    });
  }

  it('is told: a message that never ends, a stream that idles, a watcher too many', async () => {
    const inbound = { messageTimeoutMs: 200, streamIdleTimeoutMs: 200 };
    await Edge.run({ options: { inbound, maxWatchers: 0 } }, async (edge) => {
      await RawCall.run(edge.port, async (session) => {
        new RawCall(session, classifyPath).stream.write(valid.subarray(0, 7));
        new RawCall(session, streamPath).stream.resume();
        const watch = new RawCall(session, '/grpc.health.v1.Health/Watch');
        watch.stream.end(frame(Buffer.alloc(0)));
        await until('all three are told', () => edge.callsRefused.length === 3);
        assert.deepEqual(edge.callsRefused.sort(), ['message_timeout', 'stream_idle', 'too_many_watchers']);
      });
    });
  });

  it('is not told of calls that are answered, or that are wrong in what they ask', async () => {
    await Edge.run({}, async (edge) => {
      await RawCall.run(edge.port, async (session) => {
        for (const text of ['hello', '']) {
          const call = new RawCall(session, classifyPath);
          call.stream.end(frame(ClassifyRequest.encode(textRequest(text)).finish()));
          call.stream.resume();
          await call.trailers;
        }
        assert.deepEqual(edge.callsRefused, []);
      });
    });
  });
});
