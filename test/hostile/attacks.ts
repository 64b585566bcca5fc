import assert from 'node:assert/strict';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { ServerReflectionRequest } from '../../generated/grpc/reflection/v1/reflection.js';
import { ClassifyStreamRequest } from '../../generated/verdict/v1/classifier_service.js';
import { until } from '../support/until.js';
import { callHeaders, frame, http2Frame, magic, settings } from '../support/wire-frames.js';
import { call, codeOf, open, paths } from './raw-calls.js';

/** Where a server listens. */
export interface Target {
  readonly port: number;
  readonly adminUrl: string;
  readonly metric: (name: string) => Promise<number>;
}

const gzip = { 'grpc-encoding': 'gzip' };
const megabyte = 1_000_000;

/** A message of one string field, compressed to a thousandth. */
function bomb(field: number, bytes: number): Buffer {
  const head = ClassifyStreamRequest.encode(
    ClassifyStreamRequest.fromPartial({ id: 'a'.repeat(bytes) }),
  ).finish();
  head[0] = field * 8 + 2;
  return frame(gzipSync(head, { level: 9 }), { compressed: true });
}

/** Streams whose answers nobody takes, with bombs behind a full window, all of it in one DATA frame each. */
async function parkedBombs({ port }: Target): Promise<void> {
  const session = await open(port, 0);
  const empty = Array.from({ length: 64 }, () => frame(Buffer.alloc(0)));
  const body = Buffer.concat([...empty, ...Array.from({ length: 9 }, () => bomb(1, 1.5 * megabyte))]);
  for (let n = 0; n < 60; n++) {
    call(session, paths.stream, gzip).write(body);
    if (n % 4 === 3) await delay(40);
  }
  await delay(1_000);
  session.destroy();
}

/** Bombs as fast as they are taken. */
async function unaryBombs({ port }: Target): Promise<void> {
  const session = await open(port);
  const body = bomb(3, 50 * megabyte);
  const calls = Array.from({ length: 30 }, () => call(session, paths.classify, gzip));
  const codes = calls.map((stream) => codeOf(stream));
  for (const stream of calls) stream.end(body);
  assert.deepEqual(new Set(await Promise.all(codes)), new Set([status.RESOURCE_EXHAUSTED]));
  session.destroy();
}

/** Messages of which the last bytes never come. */
async function withheldBytes({ port }: Target): Promise<void> {
  const session = await open(port);
  const body = frame(Buffer.alloc(1.4 * megabyte), { length: 1.5 * megabyte });
  for (let n = 0; n < 100; n++) {
    call(session, n % 2 === 0 ? paths.stream : paths.classify).write(body);
    if (n % 10 === 9) await delay(50);
  }
  await delay(1_000);
  session.destroy();
}

/** The same in DATA frames of one byte each. */
async function tinyFrames({ port }: Target): Promise<void> {
  const socket = rawSocket(port);
  socket.write(Buffer.concat([magic, settings]));
  const one = http2Frame(0, 0, 1, Buffer.alloc(1));
  socket.write(callHeaders(1, paths.stream));
  socket.write(http2Frame(0, 0, 1, frame(Buffer.alloc(0), { length: megabyte })));
  const thousand = Buffer.concat(Array.from({ length: 1_000 }, () => one));
  for (let n = 0; n < 60 && !socket.destroyed; n++) {
    await new Promise((resolve) => socket.write(thousand, resolve));
  }
  await delay(500);
  socket.destroy();
}

/** Three quarters of a million empty inputs, and as many empty options, in a kilobyte each. */
async function countlessFields({ port }: Target): Promise<void> {
  const session = await open(port);
  for (const [path, tag] of [
    [paths.batch, 0x1a],
    [paths.classify, 0x2a],
  ] as const) {
    const empty = Buffer.alloc(1_560_000, Buffer.from([tag, 0]));
    const compressed = frame(gzipSync(empty, { level: 9 }), { compressed: true });
    const codes = Array.from({ length: 64 }, () => {
      const stream = call(session, path, gzip);
      stream.end(compressed);
      return codeOf(stream);
    });
    const plain = call(session, path);
    plain.end(frame(empty));
    codes.push(codeOf(plain));
    assert.deepEqual(new Set(await Promise.all(codes)), new Set([status.INVALID_ARGUMENT]));
  }
  session.destroy();
}

/** Large answers that nobody takes. */
async function unreadReflection({ port }: Target): Promise<void> {
  const session = await open(port, 0);
  const ask = (value: string) =>
    ServerReflectionRequest.encode(
      ServerReflectionRequest.fromPartial({ messageRequest: { $case: 'fileContainingSymbol', value } }),
    ).finish();
  const long = frame(gzipSync(ask('x'.repeat(1.5 * megabyte)), { level: 9 }), { compressed: true });
  const known = frame(ask('verdict.v1.ClassifierService'));
  for (let n = 0; n < 600; n++) {
    call(session, paths.reflection, gzip).write(n % 2 === 0 ? long : known);
    if (n % 50 === 49) await delay(30);
  }
  await delay(500);
  session.destroy();
}

/** All health watchers that there are, and more. */
async function watchers({ port }: Target): Promise<void> {
  const session = await open(port);
  for (let n = 0; n < 1_000; n++) call(session, paths.watch).end(frame(Buffer.alloc(0)));
  await delay(300);
  session.destroy();
}

/** The status of a page over a connection of its own, as probes ask: `fetch` would use one again that is being closed. */
function probe(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    }).once('error', reject);
  });
}

/** Half-sent requests on the admin port, and probes beside them. */
async function halfSentAdminRequests({ adminUrl }: Target): Promise<void> {
  const port = Number(new URL(adminUrl).port);
  const sockets = Array.from({ length: 150 }, () => {
    const socket = rawSocket(port);
    socket.write('GET /livez HTTP/1.1\r\nhost: a\r\nx-never: end');
    return socket;
  });
  await delay(100);
  for (let times = 0; times < 22; times++) {
    assert.equal(await probe(`${adminUrl}/livez`), 200);
  }
  for (const socket of sockets) socket.destroy();
}

/** More connections than one peer may have, from an address of their own. */
async function connectionFlood({ port, metric }: Target): Promise<void> {
  const refusedBefore = await metric('verdict_connections_refused_total');
  const sockets = Array.from({ length: 300 }, () => rawSocket(port, '127.0.0.2'));
  await until(
    'some are refused',
    async () => (await metric('verdict_connections_refused_total')) > refusedBefore,
  );
  for (const socket of sockets) socket.destroy();
}

/** Connections that break the protocol where nghttp2 says GOAWAY and no more. */
async function brokenConnections({ port }: Target): Promise<void> {
  const sockets = Array.from({ length: 100 }, () => {
    const socket = rawSocket(port, '127.0.0.3');
    socket.write(Buffer.concat([magic, settings, http2Frame(0, 0, 0, Buffer.from('x'))]));
    return socket;
  });
  await until('all are closed by the server', () => sockets.every((socket) => socket.destroyed));
}

function rawSocket(port: number, localAddress = '127.0.0.1'): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  socket.resume();
  return socket;
}

/** By name: what one caller has tried to stop the service with. */
export const attacks: Readonly<Record<string, (target: Target) => Promise<void>>> = {
  'compressed messages behind a full window': parkedBombs,
  'compressed messages larger than any request': unaryBombs,
  'messages whose last bytes never come': withheldBytes,
  'DATA frames of one byte': tinyFrames,
  'fields without number': countlessFields,
  'reflection answers that nobody takes': unreadReflection,
  'all health watchers': watchers,
  'half-sent admin requests': halfSentAdminRequests,
  'all connections': connectionFlood,
  'connections that break the protocol': brokenConnections,
};
