import assert from 'node:assert/strict';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { ClassifyRequest, ClassifyStreamRequest } from '../../../generated/verdict/v1/classifier_service.js';
import { streamRequest, textRequest } from '../../support/requests.js';
import { until } from '../../support/until.js';
import { frame, http2Frame, magic, settings } from '../../support/wire-frames.js';
import { statusOfTrailers } from './details.js';
import { Edge, HeldClassifier, timeout } from './edge.js';
import { classifyPath, RawCall, streamPath } from './raw-call.js';

const watchPath = '/grpc.health.v1.Health/Watch';
const valid = frame(ClassifyRequest.encode(textRequest('hello')).finish());

/** A connection, and whether the server has ended it. */
function open(port: number, local?: string): Socket {
  const socket = connect({
    port,
    host: '127.0.0.1',
    ...(local === undefined ? {} : { localAddress: local }),
  });
  socket.on('error', () => {});
  socket.resume();
  return socket;
}

async function answers(edge: Edge): Promise<void> {
  await RawCall.run(edge.port, async (session) => {
    const call = new RawCall(session, classifyPath);
    call.stream.end(valid);
    call.stream.resume();
    assert.equal((await call.trailers)['grpc-status'], '0');
  });
}

test('one peer cannot have all connections, and others still get in', { timeout }, async () => {
  const connection = { maxConnections: 6, maxConnectionsPerPeer: 5 };
  await Edge.run({ options: { connection } }, async (edge) => {
    const sockets = Array.from({ length: 8 }, () => open(edge.port));
    // Half of all, though the setting says five.
    await until('five are dropped', () => edge.refused.length === 5);
    assert.deepEqual(new Set(edge.refused), new Set(['peer']));
    await until('three stand', () => edge.server.connections === 3);
    const other = open(edge.port, '127.0.0.2');
    await until('another peer gets in', () => edge.server.connections === 4);
    for (const socket of [...sockets, other]) socket.destroy();
    await until('all have left', () => edge.server.connections === 0);
    await answers(edge);
  });
});

test('no more connections are taken than there are descriptors for', { timeout }, async () => {
  await Edge.run({ room: 4 }, async (edge) => {
    const sockets = ['127.0.0.1', '127.0.0.2', '127.0.0.3'].flatMap((local) => {
      return [open(edge.port, local), open(edge.port, local)];
    });
    await until('two are dropped', () => edge.refused.length === 2);
    assert.deepEqual(edge.refused, ['all', 'all']);
    assert.equal(edge.server.connections, 4);
    for (const socket of sockets) socket.destroy();
  });
});

test('a trusted proxy is many callers, and each of them is one', { timeout }, async () => {
  const connection = { maxConnections: 10, maxConnectionsPerPeer: 2, trustedProxies: ['127.0.0.0/8'] };
  await Edge.run({ options: { connection, maxWatchers: 10, maxWatchersPerPeer: 2 } }, async (edge) => {
    const sockets = Array.from({ length: 6 }, () => open(edge.port));
    await until('all get in', () => edge.server.connections === 6);
    await RawCall.run(edge.port, async (session) => {
      const watch = async (caller: string) => {
        const call = new RawCall(session, watchPath, { 'x-forwarded-for': caller });
        call.stream.end(frame(Buffer.alloc(0)));
        return (await call.headers).fields;
      };
      assert.equal((await watch('192.0.2.1'))['grpc-status'], undefined);
      assert.equal((await watch('192.0.2.1'))['grpc-status'], undefined);
      const refused = await watch('198.51.100.9, 192.0.2.1');
      assert.equal(refused['grpc-status'], String(status.RESOURCE_EXHAUSTED));
      assert.match(statusOfTrailers(refused).message, /^2 health Watch calls of one caller are open/);
      assert.equal((await watch('192.0.2.2'))['grpc-status'], undefined);
    });
    for (const socket of sockets) socket.destroy();
  });
});

test('a connection that breaks the protocol goes, also where nghttp2 only says GOAWAY', {
  timeout,
}, async () => {
  const request = (payload: readonly number[]) => http2Frame(1, 5, 1, Buffer.from(payload));
  // Indexed :method POST, :scheme http; literal :authority, :path and content-type, by the indexes of their names.
  const literal = (index: readonly number[], value: string) =>
    Buffer.concat([Buffer.from([...index, value.length]), Buffer.from(value)]);
  const head = [
    Buffer.from([0x83, 0x86]),
    literal([0x01], 'host'),
    literal([0x04], classifyPath),
    literal([0x0f, 0x10], 'application/grpc'),
  ];
  const call = Buffer.concat([http2Frame(1, 4, 1, Buffer.concat(head)), http2Frame(0, 1, 1, valid)]);
  const breaches = {
    'data on stream 0': http2Frame(0, 0, 0, Buffer.from('x')),
    'headers that do not decompress': request([0xff, 0xff, 0xff, 0xff, 0xff]),
    'a frame too large': http2Frame(0, 0, 1, Buffer.alloc(20_000)),
    'a ping of the wrong length': http2Frame(6, 0, 0, Buffer.alloc(5)),
    'a continuation of nothing': http2Frame(9, 4, 1, Buffer.alloc(5)),
    'data on an idle stream': http2Frame(0, 0, 1, Buffer.alloc(5)),
    'data behind the end of a call that is answered': Buffer.concat([call, http2Frame(0, 1, 1, valid)]),
  };
  await Edge.run({}, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const watch = new RawCall(session, watchPath);
      watch.stream.end(frame(Buffer.alloc(0)));
      await watch.headers;
      await Promise.all(
        Object.values(breaches).map((bytes) => {
          const socket = open(edge.port);
          socket.write(Buffer.concat([magic, settings, bytes]));
          return new Promise((resolve) => socket.once('close', resolve));
        }),
      );
      // Pings of a client that has nothing else to say are answered, and nothing is broken by them.
      await new Promise((resolve) => session.ping(resolve));
      assert.equal(session.destroyed, false);
      assert.equal(watch.stream.closed, false);
    });
  });
});

test('on a connection whose age has passed, streams that idle end, and the connection with the last of them', {
  timeout,
}, async () => {
  const connection = { maxConnectionAgeMs: 200, agedConnectionIdleMs: 400 };
  // This one says how often calls are looked at, too, and how long a caller may go on after its status.
  const inbound = { messageTimeoutMs: 200 };
  await Edge.run({ options: { connection, inbound } }, async (edge) => {
    const session = connectHttp2(`http://127.0.0.1:${edge.port}`);
    session.on('error', () => {});
    const idle = [streamPath, watchPath].map((path) => new RawCall(session, path));
    idle[1]?.stream.end(frame(Buffer.alloc(0)));
    const busy = new RawCall(session, streamPath);
    busy.stream.resume();
    const message = frame(ClassifyStreamRequest.encode(streamRequest('a')).finish());
    const asking = setInterval(() => busy.stream.write(message), 20);
    for (const call of idle) {
      call.stream.resume();
      const trailers = await call.trailers;
      assert.equal(trailers['grpc-status'], String(status.UNAVAILABLE));
      assert.equal(statusOfTrailers(trailers).reason, 'CONNECTION_AGE');
    }
    assert.equal(busy.stream.closed, false);
    clearInterval(asking);
    assert.equal(statusOfTrailers(await busy.trailers).reason, 'CONNECTION_AGE');
    await until('the connection has gone', () => edge.server.connections === 0);
  });
});

test('on a connection whose age and grace have passed, calls at work are finished and told', {
  timeout: 20_000,
}, async () => {
  const held = new HeldClassifier();
  const connection = { maxConnectionAgeMs: 400, maxConnectionAgeGraceMs: 400 };
  await Edge.run({ classify: held.classify, options: { connection } }, async (edge) => {
    const session = connectHttp2(`http://127.0.0.1:${edge.port}`);
    session.on('error', () => {});
    const told = new Promise<readonly [number, string]>((resolve) => {
      session.once('goaway', (code, _last, data) => resolve([code, String(data)]));
    });
    const idle = new RawCall(session, streamPath);
    const atWork = new RawCall(session, streamPath);
    atWork.stream.write(frame(ClassifyStreamRequest.encode(streamRequest('a')).finish()));
    atWork.stream.resume();
    await held.arrived('a');
    assert.deepEqual(await told, [constants.NGHTTP2_NO_ERROR, 'max_age']);
    const { fields } = await idle.headers;
    assert.equal(fields['grpc-status'], String(status.UNAVAILABLE));
    assert.equal(statusOfTrailers(fields).reason, 'CONNECTION_AGE');
    held.answer('a');
    const trailers = await atWork.trailers;
    assert.equal(trailers['grpc-status'], String(status.UNAVAILABLE));
    await until('the connection has gone', () => edge.server.connections === 0);
  });
});
