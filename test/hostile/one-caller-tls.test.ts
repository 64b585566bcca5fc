import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { ServerReflectionRequest } from '../../generated/grpc/reflection/v1/reflection.js';
import { Authority } from '../support/certificates.js';
import { Service } from '../support/service.js';
import { TlsBridge } from '../support/tls-bridge.js';
import { serverPair, TlsFiles } from '../support/tls-files.js';
import { callHeaders, frame, http2Frame, magic, settings } from '../support/wire-frames.js';
import { attacks } from './attacks.js';
import { atRest, withstands } from './withstands.js';

const reflectionPath = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const dataThatEnds = [0, 1] as const;

/** Two answers of more than a connection's window, of which one is being written when the connection is reset. */
async function leaveEarly(port: number, ca: string): Promise<void> {
  const request = ServerReflectionRequest.fromPartial({
    messageRequest: { $case: 'fileContainingSymbol', value: 'verdict.v1.ClassifierService' },
  });
  const body = frame(ServerReflectionRequest.encode(request).finish());
  const calls = [1, 3].flatMap((stream) => [
    callHeaders(stream, reflectionPath),
    http2Frame(...dataThatEnds, stream, body),
  ]);
  const below = connectTcp(port, '127.0.0.1');
  below.on('error', () => {});
  const socket = connect({ socket: below, host: '127.0.0.1', ca, ALPNProtocols: ['h2'] });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  socket.write(Buffer.concat([magic, settings, ...calls]));
  await delay(20 * Math.random());
  below.resetAndDestroy();
}

describe('one caller, over TLS', { timeout: 240_000 }, () => {
  let service: Service;
  let bridge: TlsBridge;
  const authority = new Authority();
  const cleanUps: (() => void)[] = [];

  before(async () => {
    const files = new TlsFiles({ after: (step) => cleanUps.push(step) }, serverPair(authority));
    service = await Service.start(['topics'], {
      ...files.settings,
      VERDICT_MAX_HELD_MIB: '64',
      VERDICT_MAX_CONNECTIONS_PER_PEER: '200',
    });
    bridge = await TlsBridge.open(service.port, authority.cert);
  });
  after(async () => {
    bridge.close();
    await service.stop();
    for (const step of cleanUps) step();
  });

  for (const [name, attack] of Object.entries(attacks)) {
    it(`does not stop the service with ${name}`, async () => {
      await withstands(service, bridge.port, attack);
    });
  }

  it('leaves nothing behind', async () => {
    await atRest(service);
  });

  it('leaves nothing behind where callers go in the middle of large answers', async () => {
    let waiting = 200;
    const callers = Array.from({ length: 16 }, async () => {
      while (waiting-- > 0) await leaveEarly(service.port, authority.cert);
    });
    await Promise.all(callers);
    await atRest(service);
  });
});
