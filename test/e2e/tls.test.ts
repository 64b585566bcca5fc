import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { get, type RequestOptions } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type TlsOptions, VerdictClient } from '../../clients/typescript/src/index.js';
import { Authority, fingerprintOf, type Pair } from '../support/certificates.js';
import { TestKeyFile } from '../support/key-files.js';
import { repositoryRoot } from '../support/repository.js';
import { Service } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { serverPair, TlsFiles } from '../support/tls-files.js';
import { until } from '../support/until.js';

const PATIENCE = { timeout: 120_000 };
const authority = new Authority();
const clients = new Authority('authority of clients');
const web = clients.issue({ name: 'web', sans: ['URI:spiffe://test/web', 'DNS:web.test'] });

async function start(t: TestContext, settings: Record<string, string>): Promise<Service> {
  const service = await Service.start(['topics'], settings);
  t.after(() => service.stop());
  return service;
}

function clientOf(t: TestContext, service: Service, tls: TlsOptions | false, apiKey?: string): VerdictClient {
  const client = new VerdictClient({ address: service.server.address, tls, apiKey, retry: false });
  t.after(() => client.close());
  return client;
}

/** The end of a connection attempt: the socket, or what the client was told. */
async function handshake(service: Service, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    port: service.port,
    host: '127.0.0.1',
    ca: authority.cert,
    ALPNProtocols: ['h2'],
    ...options,
  });
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  return socket;
}

async function shown(service: Service): Promise<string> {
  const socket = await handshake(service);
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

const failures = (service: Service, reason: string) =>
  service.server.metric('verdict_tls_handshake_failures_total', { port: 'grpc', reason });

/** A client that opens a new connection for each call, until it is told to stop. */
async function callAnew(
  service: Service,
  signal: AbortSignal,
): Promise<{ answered: number; failures: string[] }> {
  const outcome = { answered: 0, failures: [] as string[] };
  while (!signal.aborted) {
    const client = new VerdictClient({
      address: service.server.address,
      tls: { ca: authority.cert },
      retry: false,
    });
    try {
      await client.classify('the coach');
      outcome.answered++;
    } catch (error) {
      outcome.failures.push(String(error));
    } finally {
      client.close();
    }
  }
  return outcome;
}

/** Runs a command: its exit code, and what it printed. */
function verdict(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<readonly [number, string]> {
  return new Promise((resolve) => {
    const script = join(repositoryRoot, 'dist/src/cli/main.js');
    const child = execFile(process.execPath, [script, ...args], { env }, (_, stdout) =>
      resolve([child.exitCode ?? -1, stdout]),
    );
  });
}

describe('TLS on the gRPC port', PATIENCE, () => {
  it('serves clients that trust the authority, and no others', async (t) => {
    const pair = serverPair(authority);
    const files = new TlsFiles(t, pair);
    const service = await start(t, files.settings);
    assert.equal((await clientOf(t, service, { ca: authority.cert }).classify('the coach')).label, 'sports');
    const stranger = clientOf(t, service, { ca: new Authority().cert });
    await assert.rejects(stranger.classify('the coach'), { code: 'UNAVAILABLE' });
    await until('it is counted', async () => (await failures(service, 'left')) > 0);
    assert.equal(await shown(service), fingerprintOf(pair.cert));
    await assert.rejects(clientOf(t, service, false).classify('the coach'), { code: 'UNAVAILABLE' });
    await until('it is counted', async () => (await failures(service, 'not_tls')) > 0);
    const expiry = await service.server.metric('verdict_tls_certificate_expiry_timestamp_seconds');
    assert.ok(expiry > Date.now() / 1000);
  });

  it('takes TLS 1.2 and newer, HTTP/2 alone, and resumes no session', async (t) => {
    const service = await start(t, new TlsFiles(t, serverPair(authority)).settings);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = await handshake(service, { minVersion: version, maxVersion: version });
      assert.deepEqual([first.getProtocol(), first.alpnProtocol], [version, 'h2']);
      const session = first.getSession();
      first.destroy();
      const second = await handshake(service, { minVersion: version, maxVersion: version, session });
      assert.equal(second.isSessionReused(), false);
      second.destroy();
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await assert.rejects(handshake(service, old));
    await until('it is counted', async () => (await failures(service, 'version')) > 0);
    await assert.rejects(handshake(service, { ALPNProtocols: ['http/1.1'] }));
    const silent = await handshake(service, { ALPNProtocols: [] });
    silent.resume();
    await once(silent, 'close');
    await until('both are counted', async () => (await failures(service, 'alpn')) === 2);
  });

  it('counts half-open handshakes as connections, ends them, and serves others meanwhile', async (t) => {
    const service = await start(t, {
      ...new TlsFiles(t, serverPair(authority)).settings,
      VERDICT_MAX_CONNECTIONS_PER_PEER: '20',
    });
    const { server } = service;
    const sockets = Array.from({ length: 60 }, (_, n) => {
      const socket = connectTcp({ port: service.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
      socket.on('error', () => {});
      socket.resume();
      // Some say nothing, some begin, some go on byte by byte: the time limit is for the whole handshake.
      if (n % 3 > 0) socket.write(Buffer.from('160301020001', 'hex'));
      if (n % 3 === 2) {
        const timer = setInterval(() => socket.write(Buffer.from([0])), 500);
        socket.once('close', () => clearInterval(timer));
      }
      return socket;
    });
    await until('those beyond the limit are refused', async () => {
      return (await server.metric('verdict_connections_refused_total', { limit: 'peer' })) === 40;
    });
    assert.equal(await server.metric('verdict_connections'), 20);
    assert.equal((await clientOf(t, service, { ca: authority.cert }).classify('the coach')).label, 'sports');
    await until('all are ended by the server', () => sockets.every((socket) => socket.destroyed), 60_000);
    assert.equal(await failures(service, 'timeout'), 20);
  });

  it('survives rubbish: noise, HTTP/1.1, a broken hello, hello and goodbye', async (t) => {
    const service = await start(t, new TlsFiles(t, serverPair(authority)).settings);
    const noise = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919 + 13) % 256));
    const messages = [noise, 'GET / HTTP/1.1\r\n\r\n', Buffer.from('1603010005010000010303', 'hex'), ''];
    await Promise.all(
      [...messages, ...messages].map(async (message) => {
        const socket = connectTcp(service.port, '127.0.0.1');
        socket.on('error', () => {});
        socket.resume();
        socket.end(message);
        await once(socket, 'close');
      }),
    );
    assert.equal((await clientOf(t, service, { ca: authority.cert }).classify('the coach')).label, 'sports');
    assert.ok((await failures(service, 'not_tls')) >= 2);
    assert.equal(await failures(service, 'other'), 0);
  });

  it('drains on SIGTERM: calls are answered, handshakes under way do not hold it', async (t) => {
    const service = await start(t, new TlsFiles(t, serverPair(authority)).settings);
    const client = clientOf(t, service, { ca: authority.cert });
    await client.classify('the coach');
    const half = connectTcp(service.port, '127.0.0.1');
    half.on('error', () => {});
    const letGo = service.holdSession('topics');
    const answer = client.classify('the coach of another team');
    await service.untilRunning('topics');
    service.server.kill('SIGTERM');
    await until('it stops', () => service.server.log.some(({ msg }) => msg === 'stopping'));
    letGo();
    assert.equal((await answer).label, 'sports');
    assert.deepEqual(await service.server.exit, { code: 0, signal: null });
  });
});

describe('new certificates', PATIENCE, () => {
  it('are taken under load without a failed call; streams stay', async (t) => {
    const pairs = Array.from({ length: 4 }, () => serverPair(authority));
    const [first, ...others] = pairs as [Pair, ...Pair[]];
    const files = new TlsFiles(t, first);
    const service = await start(t, files.settings);
    const client = clientOf(t, service, { ca: authority.cert });
    let isOver = false;
    async function* texts() {
      for (let n = 0; !isOver; n++) {
        yield { id: String(n), text: `the coach of team ${n}` };
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    const streamed = (async () => {
      let count = 0;
      for await (const result of client.classifyStream(texts())) {
        assert.equal('error' in result && result.error !== undefined, false);
        count++;
      }
      return count;
    })();
    const stop = new AbortController();
    const callers = Array.from({ length: 4 }, () => callAnew(service, stop.signal));
    for (const pair of others) {
      files.swap(pair);
      await until('the new one is shown', async () => (await shown(service)) === fingerprintOf(pair.cert));
    }
    stop.abort();
    isOver = true;
    for (const outcome of await Promise.all(callers)) {
      assert.deepEqual(outcome.failures, []);
      assert.ok(outcome.answered > 0);
    }
    assert.ok((await streamed) > 0);
    assert.equal(await service.server.metric('verdict_tls_loads_total'), pairs.length);
    assert.equal(await service.server.metric('verdict_tls_reload_failures_total'), 0);
  });

  it('that cannot be used leave the former ones, raise a metric and are logged without contents', async (t) => {
    const pair = serverPair(authority);
    const files = new TlsFiles(t, pair);
    const service = await start(t, files.settings);
    const failed = () => service.server.metric('verdict_tls_reload_failures_total');
    const other = serverPair(authority);
    files.swap({ cert: other.cert, key: pair.key });
    await until('a key that does not fit is noticed', async () => (await failed()) === 1);
    assert.equal(await service.server.metric('verdict_tls_files_unusable'), 1);
    files.swap(serverPair(authority, { to: new Date(Date.now() - 60_000) }));
    await until('an expired one is noticed', async () => (await failed()) === 2);
    assert.equal(await shown(service), fingerprintOf(pair.cert));
    assert.equal((await clientOf(t, service, { ca: authority.cert }).classify('the coach')).label, 'sports');
    files.swap(other);
    await until('a good one is shown', async () => (await shown(service)) === fingerprintOf(other.cert));
    assert.equal(await service.server.metric('verdict_tls_files_unusable'), 0);
    const told = service.server.log.filter(({ msg }) => String(msg).startsWith('new certificates cannot'));
    assert.deepEqual(
      told.map(({ trouble }) =>
        String(trouble)
          .replace(/"[^"]*"/, 'FILE')
          .replace(/ on .*/, ''),
      ),
      [
        '--tls-key (VERDICT_TLS_KEY) is FILE: it does not belong to the certificate.',
        '--tls-cert (VERDICT_TLS_CERT) is FILE: it holds a certificate that expired',
      ],
    );
    assert.doesNotMatch(JSON.stringify(service.server.log), /BEGIN/);
  });
});

describe('mTLS', PATIENCE, () => {
  it('lets in whom the authority has signed, and knows their names', async (t) => {
    const files = new TlsFiles(t, serverPair(authority), clients.cert);
    const service = await start(t, files.mutualSettings);
    const { ca } = { ca: authority.cert };
    assert.equal((await clientOf(t, service, { ca, ...web }).classify('the coach')).label, 'sports');
    await until('the call is logged', () => service.server.log.some(({ msg }) => msg === 'call'));
    assert.equal(service.server.log.find(({ msg }) => msg === 'call')?.identity, 'URI:spiffe://test/web');

    await assert.rejects(clientOf(t, service, { ca }).classify('the coach'), { code: 'UNAVAILABLE' });
    await until('it is counted', async () => (await failures(service, 'no_certificate')) > 0);
    const strangers = [
      new Authority().issue({ name: 'stranger', sans: ['URI:spiffe://test/web'] }),
      clients.issue({ name: 'late', to: new Date(Date.now() - 60_000) }),
    ];
    for (const [n, pair] of strangers.entries()) {
      await assert.rejects(clientOf(t, service, { ca, ...pair }).classify('x'), { code: 'UNAVAILABLE' });
      await until('it is counted', async () => (await failures(service, 'bad_certificate')) > n);
    }
    const before = await failures(service, 'bad_certificate');
    files.swap(serverPair(authority), new Authority('next authority').cert);
    await until('the former authority is trusted no more', async () => {
      const late = new VerdictClient({ address: service.server.address, tls: { ca, ...web }, retry: false });
      const outcome = await late.classify('x').then(
        () => 'answered',
        () => 'refused',
      );
      late.close();
      return outcome === 'refused';
    });
    assert.ok((await failures(service, 'bad_certificate')) > before);
  });

  it('needs the certificate and the API key where both are on, and the key says who calls', async (t) => {
    const files = new TlsFiles(t, serverPair(authority), clients.cert);
    const keys = new TestKeyFile(temporaryFolder(t));
    const apiKey = keys.add('search');
    keys.write();
    const service = await start(t, { ...files.mutualSettings, VERDICT_API_KEYS_FILE: keys.path });
    const ca = authority.cert;
    assert.equal((await clientOf(t, service, { ca, ...web }, apiKey).classify('the coach')).label, 'sports');
    await until('the call is logged', () => service.server.log.some(({ msg }) => msg === 'call'));
    assert.equal(service.server.log.find(({ msg }) => msg === 'call')?.identity, 'key:search');
    await assert.rejects(clientOf(t, service, { ca, ...web }).classify('x'), { code: 'UNAUTHENTICATED' });
    await assert.rejects(clientOf(t, service, { ca }, apiKey).classify('x'), { code: 'UNAVAILABLE' });
  });

  it('may leave the certificate to the client, but takes no bad one', async (t) => {
    const files = new TlsFiles(t, serverPair(authority), clients.cert);
    const service = await start(t, { ...files.mutualSettings, VERDICT_TLS_CLIENT_AUTH: 'request' });
    const ca = authority.cert;
    for (const pair of [{}, web]) {
      assert.equal((await clientOf(t, service, { ca, ...pair }).classify('the coach')).label, 'sports');
    }
    const stranger = new Authority().issue({ name: 'stranger' });
    await assert.rejects(clientOf(t, service, { ca, ...stranger }).classify('x'), { code: 'UNAVAILABLE' });
    await until('it is counted', async () => (await failures(service, 'bad_certificate')) > 0);
  });
});

describe('TLS on the admin port', PATIENCE, () => {
  it('needs a certificate of the client, but not for probes', async (t) => {
    const files = new TlsFiles(t, serverPair(authority), clients.cert);
    const service = await start(t, { ...files.mutualSettings, VERDICT_ADMIN_TLS: 'on' });
    const { port } = new URL(service.server.adminUrl);
    const page = (path: string, options: RequestOptions = {}) =>
      new Promise<number | undefined>((resolve, reject) => {
        get({ host: '127.0.0.1', port, path, ca: authority.cert, agent: false, ...options }, (response) => {
          response.resume();
          response.once('end', () => resolve(response.statusCode));
        }).once('error', reject);
      });
    assert.deepEqual([await page('/livez'), await page('/readyz')], [200, 200]);
    const env = { ...files.mutualSettings, VERDICT_ADMIN_TLS: 'on', VERDICT_ADMIN_PORT: port };
    assert.deepEqual(await verdict(['health', '--local'], env), [0, '{"service":"","status":"serving"}\n']);
    const [elsewhere] = await verdict(['health', '--local'], { ...env, VERDICT_ADMIN_TLS: 'off' });
    assert.equal(elsewhere, 3);
    assert.deepEqual([await page('/metrics'), await page('/'), await page('/none')], [403, 403, 403]);
    assert.equal(await page('/metrics', web), 200);
    assert.equal(await page('/metrics', new Authority().issue({ name: 'stranger' })), 403);
    const sockets = Array.from({ length: 100 }, () => {
      const socket = connectTcp(Number(port), '127.0.0.1');
      socket.on('error', () => {});
      return socket;
    });
    assert.equal(await page('/livez'), 200);
    for (const socket of sockets) socket.on('close', () => {});
    // Half-open handshakes do not hold the stop.
    assert.equal((await service.server.stop()).code, 0);
  });
});

describe('clients at the command line', PATIENCE, () => {
  it('connect with certificates: verdict classify and verdict health', async (t) => {
    const service = await start(t, new TlsFiles(t, serverPair(authority), clients.cert).mutualSettings);
    const folder = temporaryFolder(t);
    const file = (name: string, content: string) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    };
    const flags = [
      ['--address', service.server.address, '--tls-ca', file('ca.pem', authority.cert)],
      ['--tls-cert', file('cert.pem', web.cert), '--tls-key', file('key.pem', web.key)],
    ].flat();
    const [code, answer] = await verdict(['classify', 'the coach', ...flags]);
    assert.equal(code, 0);
    assert.match(answer, /sports/);
    assert.deepEqual(await verdict(['health', ...flags]), [0, '{"service":"","status":"serving"}\n']);
    const [refused] = await verdict(['health', ...flags.slice(0, 4)]);
    assert.equal(refused, 3);
  });
});
