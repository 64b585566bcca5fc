import assert from 'node:assert/strict';
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { ForgetRequest } from '../../generated/verdict/v1/cache_service.js';
import { otherAddress, skipWithoutOtherAddress } from '../support/other-address.js';
import { Service } from '../support/service.js';
import { until } from '../support/until.js';
import { frame, headerField, http2Frame, magic, settings } from '../support/wire-frames.js';
import { call, codeOf, open } from './raw-calls.js';

const forgetPath = '/verdict.v1.CacheService/Forget';
const OK = 0;
const PERMISSION_DENIED = 7;

const request = frame(
  ForgetRequest.encode({ model: '', input: { $case: 'text', value: 'a text' }, caller: '' }).finish(),
);

function forget(session: ClientHttp2Session, fields: Readonly<Record<string, string | string[]>> = {}) {
  const stream = call(session, forgetPath, fields);
  stream.end(request);
  return codeOf(stream);
}

describe('somebody who would like to pass for this machine', { timeout: 120_000 }, () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['topics'], { VERDICT_HOST: '0.0.0.0' });
  });
  after(() => service.stop());

  const acts = () => service.server.log.filter(({ msg }) => msg === 'administration').length;

  it('is refused behind a proxy, whatever the header holds, and leaves no line in the audit', async () => {
    const session = await open(service.port);
    const before = acts();
    for (const fields of [
      { 'x-forwarded-for': '127.0.0.1' },
      { 'x-forwarded-for': '' },
      { 'x-forwarded-for': '203.0.113.7, 127.0.0.1' },
      { 'x-forwarded-for': `${'127.0.0.1, '.repeat(900)}127.0.0.1` },
      { 'x-forwarded-for': '\u00e4\u00ff' },
      { forwarded: 'for=127.0.0.1;proto=http' },
      { forwarded: ['for=203.0.113.7', 'for="[::1]"'] },
      { forwarded: '' },
      { via: '1.1 nowhere' },
      { 'x-real-ip': '127.0.0.1' },
      { 'x-forwarded-proto': 'https' },
      { 'x-envoy-expected-rq-timeout-ms': '15000' },
    ]) {
      assert.equal(await forget(session, fields), PERMISSION_DENIED, JSON.stringify(fields).slice(0, 80));
    }
    // A header that no proxy writes changes nothing.
    assert.equal(await forget(session, { 'x-request-id': 'mine', 'user-agent': 'via proxy' }), OK);
    await until('the act is in the log', () => acts() === before + 1);
    session.destroy();
  });

  it('is refused behind a proxy that writes its header twice, once empty', async () => {
    const refusals = () =>
      service.server.metric('grpc_server_handled_total', {
        ...{ grpc_service: 'verdict.v1.CacheService', grpc_method: 'Forget' },
        grpc_code: 'PERMISSION_DENIED',
      });
    const before = await refusals();
    const socket = connectSocket(service.port, '127.0.0.1');
    socket.on('error', () => {});
    const block = Object.entries({
      ...{ ':method': 'POST', ':scheme': 'http', ':authority': 'test', ':path': forgetPath },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    }).map(([name, value]) => headerField(name, value));
    const twice = [headerField('x-forwarded-for', ''), headerField('x-forwarded-for', '127.0.0.1')];
    socket.write(
      Buffer.concat([magic, settings, http2Frame(1, 0x4, 1, Buffer.concat([...block, ...twice]))]),
    );
    socket.write(http2Frame(0, 0x1, 1, request));
    await until('it is refused', async () => (await refusals()) === before + 1);
    socket.destroy();
  });

  it('is refused from another address, whatever it says of itself', {
    skip: skipWithoutOtherAddress,
  }, async () => {
    const session = connect(`http://${otherAddress}:${service.port}`);
    session.on('error', () => {});
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    for (const fields of [{}, { 'x-forwarded-for': '127.0.0.1' }, { 'x-real-ip': '::1' }])
      assert.equal(await forget(session, fields), PERMISSION_DENIED);
    session.destroy();
  });
});

describe('a server whose proxy runs on the same machine and writes no header', { timeout: 60_000 }, () => {
  it('lets nobody administer it, once the proxy is named', async () => {
    const service = await Service.start(['topics'], { VERDICT_TRUSTED_PROXIES: '127.0.0.0/8' });
    try {
      const session = await open(service.port);
      assert.equal(await forget(session), PERMISSION_DENIED);
      session.destroy();
    } finally {
      await service.stop();
    }
  });
});
