import assert from 'node:assert/strict';
import { get, request } from 'node:https';
import { describe, it, type TestContext } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { Authority } from '../support/certificates.js';
import { HttpService } from '../support/http-service.js';
import { at } from '../support/json-value.js';
import { TestKeyFile } from '../support/key-files.js';
import { postHead, RawHttp } from '../support/raw-http.js';
import { streamMessages } from '../support/stream-body.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { serverPair, TlsFiles } from '../support/tls-files.js';
import { until } from '../support/until.js';

const PATIENCE = { timeout: 120_000 };
const good = { text: 'the coach' };

async function start(t: TestContext, settings: Record<string, string> = {}): Promise<HttpService> {
  const http = await HttpService.start(['topics'], settings);
  t.after(() => http.stop());
  return http;
}

describe('the HTTP port', PATIENCE, () => {
  it('counts and logs its calls as those of gRPC, under the id of the caller, and no text', async (t) => {
    const http = await start(t);
    const answer = await http.post(
      '/v1:classify',
      { text: 'a secret coach' },
      { 'x-request-id': 'order-42' },
    );
    assert.deepEqual([answer.status, answer.headers.get('x-request-id')], [200, 'order-42']);
    const { server } = http.service;
    await until('the call is logged', () => server.log.some((line) => line.request_id === 'order-42'));
    const labels = { grpc_method: 'Classify', grpc_code: 'OK' };
    assert.equal(await server.metric('grpc_server_handled_total', labels), 1);
    assert.ok(!JSON.stringify(server.log).includes('secret'));
  });

  it('asks for keys, and tells who has none or too little', async (t) => {
    const keys = new TestKeyFile(temporaryFolder(t));
    const key = keys.add('web');
    const admin = keys.add('ops', { scopes: ['admin'] });
    const slow = keys.add('slow', { limits: { requestsPerMinute: 1 } });
    keys.write();
    const http = await start(t, { VERDICT_API_KEYS_FILE: keys.path });
    const none = await http.post('/v1:classify', good);
    assert.deepEqual([none.status, none.headers.get('www-authenticate')], [401, 'Bearer']);
    for (const headers of [{ authorization: `Bearer ${key}` }, { 'x-api-key': key }])
      assert.equal((await http.post('/v1:classify', good, headers as Record<string, string>)).status, 200);
    assert.equal((await http.post('/v1:forget', good, { 'x-api-key': key })).status, 403);
    assert.equal((await http.post('/v1:forget', good, { 'x-api-key': admin })).status, 200);
    assert.equal((await http.post('/v1:classify', good, { 'x-api-key': slow })).status, 200);
    const limited = await http.post('/v1:classify', { text: 'the team' }, { 'x-api-key': slow });
    assert.equal(limited.status, 429);
    assert.match(limited.headers.get('retry-after') ?? '', /^[1-9][0-9]*$/);
    const { log } = http.service.server;
    for (const secret of [key, admin, slow]) assert.ok(!JSON.stringify(log).includes(secret));
  });

  it('answers in other protocols who may not see times, also while keys of others change', async (t) => {
    const keys = new TestKeyFile(temporaryFolder(t));
    const headers = { authorization: `Bearer ${keys.add('web')}` };
    keys.write();
    const http = await start(t, { VERDICT_API_KEYS_FILE: keys.path });
    const { status, headers: measured } = await http.post('/predict', { inputs: 'the coach' }, headers);
    assert.deepEqual([status, measured.get('x-total-time')], [200, '0']);
    const release = http.service.holdSession('topics');
    try {
      const answers = [
        http.post('/models/topics', { inputs: 'a text that is new' }, headers),
        http.post('/predict', { inputs: 'another one' }, headers),
      ];
      const { server } = http.service;
      const begun = { grpc_method: 'BatchClassify' };
      const areThere = async () => (await server.metric('grpc_server_started_total', begun)) === 3;
      await until('both are there', areThere);
      const other = keys.add('other');
      keys.write();
      const isKnown = async () => (await http.get('/v1/models', { 'x-api-key': other })).status === 200;
      await until('the new key is known', isKnown);
      release();
      assert.deepEqual(
        (await Promise.all(answers)).map((answer) => answer.status),
        [200, 200],
      );
    } finally {
      release();
    }
  });

  it('takes a deadline, and refuses one that is none', async (t) => {
    const http = await start(t);
    const release = http.service.holdSession('topics');
    try {
      const late = await http.post('/v1:classify', good, { 'grpc-timeout': '100m' });
      assert.deepEqual([late.status, at(late.json, 'code')], [504, 4]);
    } finally {
      release();
    }
    const malformed = await http.post('/v1:classify', good, { 'grpc-timeout': 'soon' });
    assert.deepEqual(
      [malformed.status, at(malformed.json, 'details', 0, 'reason')],
      [400, 'MALFORMED_TIMEOUT'],
    );
  });

  it('gives up the work of a caller who leaves', async (t) => {
    const http = await start(t);
    const release = http.service.holdSession('topics');
    try {
      const leaving = new AbortController();
      const body = JSON.stringify(good);
      const call = fetch(`${http.url}/v1:classify`, { method: 'POST', body, signal: leaving.signal });
      await http.service.untilRunning('topics');
      leaving.abort();
      await assert.rejects(call, { name: 'AbortError' });
      const labels = { grpc_method: 'Classify', grpc_code: 'CANCELLED' };
      const cancelled = () => http.service.server.metric('grpc_server_handled_total', labels);
      await until('the call is cancelled', async () => (await cancelled()) === 1);
    } finally {
      release();
    }
  });

  it('answers lines as they come, and the request behind a stream that fails', async (t) => {
    const http = await start(t);
    const { readable, writable } = new TransformStream<string, string>();
    const writer = writable.getWriter();
    const init: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' },
      body: readable.pipeThrough(new TextEncoderStream()),
      duplex: 'half',
    };
    const answered = fetch(`${http.url}/v1:classifyStream`, init);
    await writer.write('{"id":"a","text":"the coach"}\n\r\n{"id":"b",');
    await writer.write('"text":"the');
    await writer.write(' team"}\nno json\n{"id":"d","text":7}\n{"id":"e","text":"the match"}');
    await writer.close();
    const messages = streamMessages('application/x-ndjson', await (await answered).text());
    assert.deepEqual(
      messages.map((message) => at(message, 'id')),
      ['a', 'b', '', '', 'e', ''],
    );
    assert.equal(at(messages[2] ?? null, 'error', 'details', 0, 'reason'), 'MALFORMED_MESSAGE');
    assert.equal(at(messages[3] ?? null, 'error', 'details', 1, 'fieldViolations', 0, 'field'), 'text');
    assert.equal(at(messages[5] ?? null, 'end', 'classifiedCount'), 3);
    // The body has not been read when the stream fails: what is left of it must not stand before the next request.
    const lines = `${JSON.stringify({ settings: { defaultModel: '?' } })}\n`.repeat(5_000);
    const stream = { 'content-type': 'application/x-ndjson', 'content-length': lines.length };
    const next = JSON.stringify(good);
    const raw = new RawHttp(http.url);
    t.after(() => raw.close());
    raw.send(postHead('/v1:classifyStream', stream) + lines);
    raw.send(postHead('/v1:classify', { 'content-length': next.length }) + next);
    const statuses = () => [...raw.received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    await until('both are answered', () => statuses().length === 2 || raw.hasEnded);
    assert.deepEqual(statuses(), ['400', '200']);
  });

  it('takes bodies in gzip and deflate, whole ones and lines', async (t) => {
    const http = await start(t);
    const codings = { gzip: gzipSync, 'X-Gzip': gzipSync, deflate: deflateSync };
    const texts = ['the coach', 'the recipe for soup', 'the phone'].map((text) => JSON.stringify({ text }));
    for (const [coding, compress] of Object.entries(codings)) {
      const headers = { 'content-encoding': coding };
      const one = await http.postBytes('/v1:classify', compress(JSON.stringify(good)), headers);
      assert.deepEqual(
        [one.status, at(one.json, 'classification', 'predictions', 0, 'label')],
        [200, 'sports'],
        coding,
      );
      const bodies = { 'application/json': `[${texts.join()}]`, 'application/x-ndjson': texts.join('\n') };
      for (const [type, body] of Object.entries(bodies)) {
        const answer = await http.postBytes('/v1:classifyStream', compress(body), {
          ...headers,
          'content-type': type,
          accept: 'application/x-ndjson',
        });
        const [first, , third, end] = streamMessages('application/x-ndjson', answer.text);
        assert.equal(at(first ?? null, 'classification', 'predictions', 0, 'label'), 'sports', type);
        assert.equal(at(third ?? null, 'classification', 'predictions', 0, 'label'), 'technology', type);
        assert.equal(at(end ?? null, 'end', 'classifiedCount'), 3, type);
      }
    }
  });

  it('speaks TLS with the certificate of the other ports, and knows clients by theirs', async (t) => {
    const authority = new Authority();
    const clients = new Authority();
    const web = clients.issue({ name: 'web', sans: ['DNS:web.example'] });
    const files = new TlsFiles(t, serverPair(authority), clients.cert);
    const http = await start(t, files.mutualSettings);
    const { port } = new URL(http.url);
    const call = (pair: object) =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = { host: '127.0.0.1', port, ca: authority.cert, agent: false, ...pair };
        const sent = request({ ...options, path: '/v1:classify', method: 'POST' }, (response) => {
          response.resume();
          response.once('end', () => resolve(response.statusCode));
        });
        sent.once('error', reject).end(JSON.stringify(good));
      });
    assert.equal(await call(web), 200);
    const { server } = http.service;
    await until('the call is logged', () => server.log.some(({ msg }) => msg === 'call'));
    assert.equal(server.log.find(({ msg }) => msg === 'call')?.identity, 'DNS:web.example');
    await assert.rejects(call({}));
    await assert.rejects(call(new Authority().issue({ name: 'stranger' })));
    const failures = () => server.metric('verdict_tls_handshake_failures_total', { port: 'http' });
    await until('both are counted', async () => (await failures()) >= 2);
    await assert.rejects(
      new Promise((_, reject) => {
        get({ host: '127.0.0.1', port, ca: new Authority().cert }).once('error', reject);
      }),
    );
  });

  it('answers what it has when the server stops, and takes nothing new', async (t) => {
    const http = await start(t);
    const release = http.service.holdSession('topics');
    const answer = http.post('/v1:classify', good);
    await http.service.untilRunning('topics');
    http.service.server.kill('SIGTERM');
    await until('new connections are refused', async () => {
      return (await fetch(`${http.url}/v1/models`).catch(() => undefined)) === undefined;
    });
    release();
    assert.equal((await answer).status, 200);
    assert.deepEqual(await http.service.server.exit, { code: 0, signal: null });
  });

  it('ends its connections with their answers while balancers are told that it stops', async (t) => {
    const http = await start(t, { VERDICT_DRAIN_GRACE_MS: '8000' });
    assert.notEqual((await http.post('/v1:classify', good)).headers.get('connection'), 'close');
    http.service.server.kill('SIGTERM');
    await until('the stop is announced', () => http.service.server.log.some(({ msg }) => msg === 'stopping'));
    await until('an answer ends its connection', async () => {
      const { status, headers } = await http.post('/v1:classify', good);
      assert.equal(status, 200);
      return headers.get('connection') === 'close';
    });
    assert.deepEqual(await http.service.server.exit, { code: 0, signal: null });
  });

  it('can be switched off', async (t) => {
    const http = await start(t, { VERDICT_HTTP: 'off' });
    assert.equal(http.service.server.log.find(({ msg }) => msg === 'serving')?.http, undefined);
    assert.equal((await http.service.client.classify('the coach')).label, 'sports');
  });
});
