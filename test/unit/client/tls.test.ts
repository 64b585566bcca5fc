import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ServerCredentials } from '@grpc/grpc-js';
import { VerdictClient, type VerdictClientOptions } from '../../../clients/typescript/src/index.js';
import { startTestServer, type TestServer } from './test-server.js';

let dir: string;
let key: Buffer;
let cert: Buffer;
let server: TestServer;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'verdict-tls-'));
  const keyPath = join(dir, 'key.pem');
  const certPath = join(dir, 'cert.pem');
  // One self-signed certificate is authority, server and client at once.
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
      .concat(['-subj', '/CN=verdict.test', '-addext', 'subjectAltName=DNS:verdict.test'])
      .concat(['-keyout', keyPath, '-out', certPath]),
    { stdio: 'ignore' },
  );
  key = readFileSync(keyPath);
  cert = readFileSync(certPath);
  server = await startTestServer(
    {},
    ServerCredentials.createSsl(cert, [{ private_key: key, cert_chain: cert }], true),
  );
});

after(() => {
  server.close();
  rmSync(dir, { recursive: true });
});

async function classifyWith(tls: VerdictClientOptions['tls']): Promise<string | undefined> {
  const client = new VerdictClient({ address: server.address, tls, retry: false });
  try {
    return (await client.classify('x')).label;
  } finally {
    client.close();
  }
}

test('Authority, client certificate and server name make a mutual TLS connection', async () => {
  assert.equal(await classifyWith({ ca: cert, cert, key, serverName: 'verdict.test' }), 'POSITIVE');
});

test('PEM may come as text', async () => {
  const tls = { ca: cert.toString(), cert: cert.toString(), key: key.toString(), serverName: 'verdict.test' };
  assert.equal(await classifyWith(tls), 'POSITIVE');
});

test('A server whose certificate names another host is not talked to', async () => {
  await assert.rejects(classifyWith({ ca: cert, cert, key }), { code: 'UNAVAILABLE' });
});

test('A server whose authority is not trusted is not talked to', async () => {
  await assert.rejects(classifyWith({ cert, key, serverName: 'verdict.test' }), { code: 'UNAVAILABLE' });
});

test('A server that asks for a client certificate refuses a client without one', async () => {
  await assert.rejects(classifyWith({ ca: cert, serverName: 'verdict.test' }), { code: 'UNAVAILABLE' });
});
