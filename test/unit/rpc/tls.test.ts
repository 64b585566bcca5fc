import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { describe, it, type TestContext, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { ServerReflectionRequest } from '../../../generated/grpc/reflection/v1/reflection.js';
import {
  ClassifierServiceClient,
  ClassifyRequest,
  ClassifyStreamRequest,
} from '../../../generated/verdict/v1/classifier_service.js';
import type { CallHead } from '../../../src/rpc/interceptor.js';
import { CredentialWatch } from '../../../src/tls/credential-watch.js';
import { Authority, type Pair } from '../../support/certificates.js';
import { streamRequest, textRequest } from '../../support/requests.js';
import { serverPair, TlsFiles } from '../../support/tls-files.js';
import { until } from '../../support/until.js';
import { callHeaders, frame, headerField, http2Frame, magic, settings } from '../../support/wire-frames.js';
import { Edge, HeldClassifier, timeout } from './edge.js';
import { classifyPath, streamPath } from './raw-call.js';

const authority = new Authority();
const clients = new Authority('authority of clients');

const reflectionPath = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const endsStream = 1;
const endsHeaders = 4;
const dataFrame = 0;
const headersFrame = 1;
const resetFrame = 3;

describe('who calls over TLS', { timeout }, () => {
  it('is known by the names in the certificate: all connections with them are one flow', async (t) => {
    const files = new TlsFiles(t, serverPair(authority), clients.cert);
    const source = await CredentialWatch.open({ paths: files, settings: files, hooks: {} });
    const heads: CallHead['tlsIdentity'][] = [];
    const held = new HeldClassifier();
    const parts = {
      classify: held.classify,
      options: { tls: { credentials: source, clientAuth: 'request' as const } },
      interceptors: [
        {
          intercept: ({ tlsIdentity }: CallHead) => {
            heads.push(tlsIdentity);
            return undefined;
          },
        },
      ],
    };
    const web = { name: 'web', sans: ['URI:spiffe://test/web', 'DNS:web.test'] };
    const callers: Readonly<Record<string, Pair | undefined>> = {
      web: clients.issue(web),
      'web renewed': clients.issue(web),
      other: clients.issue({ ...web, sans: ['URI:spiffe://test/web'] }),
      'without names': clients.issue({ name: 'plain' }),
      'without names too': clients.issue({ name: 'plain' }),
      'without a certificate': undefined,
    };
    await Edge.run(parts, async (edge) => {
      const open: ClassifierServiceClient[] = [];
      const flows: unknown[] = [];
      for (const [text, pair] of Object.entries(callers)) {
        const secure =
          pair === undefined
            ? credentials.createSsl(Buffer.from(authority.cert))
            : credentials.createSsl(
                Buffer.from(authority.cert),
                Buffer.from(pair.key),
                Buffer.from(pair.cert),
              );
        // A connection of its own for each.
        const client = new ClassifierServiceClient(`127.0.0.1:${edge.port}`, secure, {
          'grpc.use_local_subchannel_pool': 1,
        });
        open.push(client);
        client.classify(textRequest(text), () => {});
        await held.arrived(text);
        flows.push(held.callers.get(text)?.flow);
      }
      for (const client of open) client.close();
      assert.equal(flows[0], flows[1]);
      assert.equal(new Set(flows).size, flows.length - 1);
      assert.deepEqual(
        heads.map((identity) => identity?.sans),
        [web.sans, web.sans, ['URI:spiffe://test/web'], [], [], undefined],
      );
    });
  });
});

/** A server that speaks TLS, and one connection to it. */
async function withConnection(
  t: TestContext,
  run: (edge: Edge, socket: TLSSocket) => Promise<void>,
): Promise<void> {
  const files = new TlsFiles(t, serverPair(authority), clients.cert);
  const source = await CredentialWatch.open({ paths: files, settings: files, hooks: {} });
  const parts = { options: { tls: { credentials: source, clientAuth: 'request' as const } } };
  await Edge.run(parts, async (edge) => {
    const socket = connect({ port: edge.port, ca: authority.cert, ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    socket.resume();
    await run(edge, socket);
    socket.destroy();
  });
}

const dataOf = (stream: number, flags: number, message: Uint8Array) =>
  http2Frame(dataFrame, flags, stream, frame(message));

/**
 * A call of reflection. Node writes an answer as large as that one at once, and over TLS it reads on while it writes: what
 * comes in the same read is worked off before anybody hears of it.
 */
function answeredAtOnce(stream: number): Buffer[] {
  const request = ServerReflectionRequest.fromPartial({
    messageRequest: { $case: 'fileContainingSymbol', value: 'verdict.v1.ClassifierService' },
  });
  const bytes = ServerReflectionRequest.encode(request).finish();
  return [callHeaders(stream, reflectionPath), dataOf(stream, endsStream, bytes)];
}

const classified = ({ handled }: Edge) => handled.filter(({ method }) => method !== 'ServerReflectionInfo');

test('calls whose bodies come in the read that brought their heads are answered', { timeout }, async (t) => {
  const request = ClassifyRequest.encode(textRequest('hello')).finish();
  const items = ['a', 'b'].map((text) => ClassifyStreamRequest.encode(streamRequest(text)).finish());
  const [a = request, b = request] = items;
  const end = (stream: number) => http2Frame(dataFrame, endsStream, stream);
  const calls: Readonly<Record<string, [path: string, ...frames: ((stream: number) => Buffer)[]]>> = {
    'a message that ends the call': [classifyPath, (stream) => dataOf(stream, endsStream, request)],
    'an end of its own': [classifyPath, (stream) => dataOf(stream, 0, request), end],
    'two messages': [streamPath, (stream) => dataOf(stream, 0, a), (stream) => dataOf(stream, endsStream, b)],
    'no message': [streamPath, end],
  };
  const bytes = Object.values(calls).flatMap(([path, ...frames], n) => [
    callHeaders(2 * n + 3, path),
    ...frames.map((of) => of(2 * n + 3)),
  ]);
  await withConnection(t, async (edge, socket) => {
    socket.write(Buffer.concat([magic, settings, ...answeredAtOnce(1), ...bytes]));
    const all = Object.keys(calls).length;
    await until('all calls have ended', () => classified(edge).length === all, 5_000);
    const ends = classified(edge).map(({ method, code, received, sent }) => ({
      method,
      code,
      received,
      sent,
    }));
    const unary = { method: 'Classify', code: 'OK', received: 1, sent: 1 };
    const stream = { method: 'ClassifyStream', code: 'OK' };
    assert.deepEqual(
      ends.sort((x, y) => x.received - y.received),
      [{ ...stream, received: 0, sent: 0 }, unary, unary, { ...stream, received: 2, sent: 2 }],
    );
  });
});

test('a message in part that came with the head is held and made whole', { timeout }, async (t) => {
  const whole = frame(ClassifyRequest.encode(textRequest('x'.repeat(90))).finish());
  const part = http2Frame(dataFrame, 0, 3, whole.subarray(0, 60));
  await withConnection(t, async (edge, socket) => {
    socket.write(Buffer.concat([magic, settings, ...answeredAtOnce(1), callHeaders(3, classifyPath), part]));
    await until('both calls have begun', () => edge.started.length === 2);
    socket.write(http2Frame(dataFrame, endsStream, 3, whole.subarray(60)));
    await until('the call has ended', () => classified(edge).length === 1, 5_000);
    assert.equal(classified(edge)[0]?.code, 'OK');
  });
});

test('a call that is reset in the read that brought it ends there', { timeout }, async (t) => {
  // 0x83 and 0x86 are `:method: POST` and `:scheme: http`. What is no call of gRPC's is answered where it arrives.
  const noCall = [
    Buffer.from([0x83, 0x86]),
    headerField(':path', reflectionPath),
    headerField(':authority', 'x'),
    headerField('content-type', 'text/plain'),
  ];
  const cancel = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]);
  const bytes = Buffer.concat([
    magic,
    settings,
    ...answeredAtOnce(1),
    http2Frame(headersFrame, endsHeaders, 3, Buffer.concat(noCall)),
    http2Frame(resetFrame, 0, 3, cancel),
  ]);
  await withConnection(t, async (edge, socket) => {
    socket.write(bytes);
    await until('the first call has begun', () => edge.started.length > 0);
    socket.destroy();
    assert.equal((await edge.handledCall()).method, 'ServerReflectionInfo');
  });
});
