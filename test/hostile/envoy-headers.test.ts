import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { newKey } from '../../src/auth/key-format.js';
import { EnvoyProcess } from '../support/envoy-process.js';
import { EnvoyService } from '../support/envoy-service.js';
import { at, type JsonValue } from '../support/json-value.js';
import { TestKeyFile } from '../support/key-files.js';
import { suiteCleanup } from '../support/suite-cleanup.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';
import { UpstreamRecorder } from '../support/upstream-recorder.js';
import { headerField, http2Frame, magic, settings } from '../support/wire-frames.js';

const PATIENCE = { timeout: 120_000 };
const skip = await skipWithout('envoy');

/** A request hidden behind the one that is seen. */
const hidden = 'POST /v1/models/hidden:classify HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}';

/** A request in HTTP/1.1 as a client of ours would not write it. */
function request(
  headers: readonly string[],
  { line = 'POST /v1:classify HTTP/1.1', body = '{}' } = {},
): string {
  const length = headers.some((header) => /^(content-length|transfer-encoding)/i.test(header))
    ? []
    : [`Content-Length: ${body.length}`];
  return `${[line, 'Host: a', ...headers, ...length].join('\r\n')}\r\n\r\n${body}`;
}

/**
 * Sends bytes, and behind them a request that Envoy answers and closes the connection after.
 * @returns all that came back
 */
async function exchange(port: number, bytes: string): Promise<string> {
  const last = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(Buffer.from(bytes + last, 'latin1'));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => socket.once('close', resolve));
  return String(Buffer.concat(chunks));
}

const statuses = (text: string) => [...text.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, code]) => Number(code));

describe('headers on their way through Envoy', { ...PATIENCE, skip }, () => {
  let upstream: UpstreamRecorder;
  let envoy: EnvoyProcess;
  let port = 0;

  before(async () => {
    upstream = await UpstreamRecorder.start();
    envoy = await EnvoyProcess.start(upstream.address);
    port = Number(new URL(envoy.url).port);
  });
  after(async () => {
    await envoy.stop();
    await upstream.stop();
  });

  /** What reached the server of such a request, and the first status that came back. */
  async function through(bytes: string) {
    const from = upstream.calls.length;
    const answer = await exchange(port, bytes);
    return { status: statuses(answer)[0], calls: upstream.calls.slice(from), answer };
  }

  const smuggled: Readonly<Record<string, string>> = {
    'both lengths': request(['Content-Length: 5', 'Transfer-Encoding: chunked'], {
      body: `0\r\n\r\n${hidden}`,
    }),
    'both lengths, the other way round': request(['Transfer-Encoding: chunked', 'Content-Length: 5'], {
      body: `0\r\n\r\n${hidden}`,
    }),
    'two lengths': request(['Content-Length: 2', 'Content-Length: 90'], { body: `{}${hidden}` }),
    'a list of lengths': request(['Content-Length: 2, 90'], { body: `{}${hidden}` }),
    'a length with a sign': request(['Content-Length: +2'], { body: `{}${hidden}` }),
    'an unknown encoding': request(['Transfer-Encoding: xchunked'], { body: `0\r\n\r\n${hidden}` }),
    'an encoding behind chunked': request(['Transfer-Encoding: chunked, identity'], {
      body: `0\r\n\r\n${hidden}`,
    }),
    'two encodings': request(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], {
      body: `0\r\n\r\n${hidden}`,
    }),
    'a chunk whose extension holds a line': request(['Transfer-Encoding: chunked'], {
      body: `2;a\nx\r\n{}\r\n0\r\n\r\n${hidden}`,
    }),
    'a space before the colon': request(['Content-Length : 90'], { body: `{}${hidden}` }),
    'NUL in a value': request(['x-a: a\0b']),
    'a header that is to be dropped on the way': request(['Connection: x-forwarded-for, x-api-key']),
    'a space in the path': request([], { line: 'POST /v1:classify /x HTTP/1.1' }),
    'a tab in the path': request([], { line: 'POST /v1:classify\t/x HTTP/1.1' }),
    'a slash that is escaped': request([], { line: 'POST /v1%2f..%2fv1:classify HTTP/1.1' }),
    'a fragment': request([], { line: 'POST /v1:classify#x HTTP/1.1' }),
    'HTTP/1.0': request([], { line: 'POST /v1:classify HTTP/1.0' }),
    'a WebSocket': request(['Connection: Upgrade', 'Upgrade: websocket']),
  };
  for (const [what, bytes] of Object.entries(smuggled)) {
    it(`bring no request along: ${what}`, async () => {
      const { status, calls } = await through(bytes);
      assert.deepEqual(calls, []);
      assert.ok(status === undefined || (status >= 400 && status < 600), String(status));
    });
  }

  it('lead to no method but those that the contract gives a path', async () => {
    const health = '/grpc.health.v1.Health/Check';
    for (const path of [
      `/v1/..${health}`,
      `/v1\\..${health}`,
      `/${health}`,
      '/v1:classify;a=b',
      '/V1:classify',
      '/verdict.v1.ClassifierService/Classify',
    ]) {
      const { status, calls } = await through(request([], { line: `POST ${path} HTTP/1.1` }));
      assert.deepEqual([status, calls], [404, []], path);
    }
    for (const path of ['//v1:classify', '/v1/%2e%2e/v1:classify', 'http://elsewhere.test/v1:classify']) {
      const { calls } = await through(request([], { line: `POST ${path} HTTP/1.1` }));
      const reached = calls.map((call) => [call[':path'], call['x-envoy-original-path']]);
      assert.deepEqual(reached, [['/verdict.v1.ClassifierService/Classify', '/v1:classify']], path);
    }
  });

  it('that Envoy and Verdict tell each other are not taken from callers', async () => {
    const { calls } = await through(
      request([
        'x-envoy-original-path: /elsewhere',
        'x-envoy-expected-rq-timeout-ms: 1',
        'x-envoy-upstream-rq-timeout-ms: 1',
        'x-envoy-internal: true',
        'x-envoy-external-address: 198.51.100.1',
        'X-Forwarded-For: 198.51.100.1',
        'X-Forwarded-For: 198.51.100.2',
      ]),
    );
    const [call = assert.fail('nothing came through')] = calls;
    assert.equal(calls.length, 1);
    assert.equal(call['x-envoy-original-path'], '/v1:classify');
    assert.equal(call['x-envoy-expected-rq-timeout-ms'], '35000');
    for (const name of ['x-envoy-upstream-rq-timeout-ms', 'x-envoy-internal'])
      assert.equal(call[name], undefined, name);
    assert.notEqual(call['x-envoy-external-address'], '198.51.100.1');
    // Verdict reads the last one, which is Envoy's.
    assert.match(String(call['x-forwarded-for']), /^198\.51\.100\.1,198\.51\.100\.2,(?!198\.51\.100)[\d.]+$/);
  });

  it('with underscores do not pass for those with hyphens', async () => {
    const { calls } = await through(request(['x_api_key: k', 'grpc_timeout: 1n', 'content_length: 90']));
    assert.equal(calls.length, 1);
    for (const [name] of Object.entries(calls[0] ?? {})) assert.doesNotMatch(name, /_/);
  });

  it('that come twice are not made one that is valid', async () => {
    const { calls } = await through(
      request(['x-api-key: a', 'x-api-key: b', 'authorization: Bearer a', 'authorization: Bearer b']),
    );
    assert.deepEqual(
      calls.map((call) => [call['x-api-key'], call.authorization]),
      [['a, b', 'Bearer a,Bearer b']],
    );
  });

  it('are refused with 431 above 12 KiB, or where they are more than 64', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => `x-a-${n}: a`);
    for (const headers of [[`x-a: ${'a'.repeat(12_300)}`], many(65)]) {
      const { status, calls, answer } = await through(request(headers));
      assert.deepEqual([status, calls], [431, []]);
      assert.match(answer, /"code":3/);
    }
    const { status, calls } = await through(request([`x-a: ${'a'.repeat(11_900)}`]));
    assert.deepEqual([status, calls.length], [200, 1]);
  });

  const inHttp2: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    'a line break in a value': [['x-a', 'a\r\nx-api-key: k']],
    'NUL in a value': [['x-a', 'a\0b']],
    'a name in capitals': [['X-Api-Key', 'k']],
    'a colon in a name': [['x:a', 'k']],
    'a space in a name': [['x a', 'k']],
    'a second path': [[':path', '/v1/models/hidden:classify']],
    'a header of HTTP/1.1': [['transfer-encoding', 'chunked']],
    'headers to be dropped on the way': [['connection', 'x-forwarded-for']],
    'a length that is wrong': [['content-length', '9']],
    'another protocol': [[':protocol', 'websocket']],
    'more than 64': Array.from({ length: 65 }, (_, n) => [`x-a-${n}`, 'a'] as const),
  };
  for (const [what, fields] of Object.entries(inHttp2)) {
    it(`do not get through in HTTP/2: ${what}`, async () => {
      const from = upstream.calls.length;
      const head = [
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', '/v1:classify'],
        [':authority', 'a'],
        ['content-type', 'application/json'],
        ...fields,
      ].map(([name = '', value = '']) => headerField(name, value));
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      let received = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
      });
      const closed = { is: false };
      socket.once('close', () => {
        closed.is = true;
      });
      const request = [http2Frame(1, 4, 1, Buffer.concat(head)), http2Frame(0, 1, 1, Buffer.from('{}'))];
      socket.write(Buffer.concat([magic, settings, ...request]));
      await until('Envoy refuses the stream or the connection', () => {
        return closed.is || isReset(received, 1);
      });
      socket.destroy();
      assert.deepEqual(upstream.calls.slice(from), []);
    });
  }
});

/** Whether a stream was reset, by the frames that came. */
function isReset(bytes: Buffer, stream: number): boolean {
  const resetFrame = 3;
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3))
    if (bytes[at + 3] === resetFrame && bytes.readUInt32BE(at + 5) === stream) return true;
  return false;
}

describe('Verdict behind Envoy', { ...PATIENCE, skip }, () => {
  const cleanup = suiteCleanup();
  let stack: EnvoyService;
  let key = '';
  let limited = '';
  let port = 0;

  before(async () => {
    const file = new TestKeyFile(temporaryFolder(cleanup));
    key = file.add('web');
    limited = file.add('limited', { limits: { requestsPerMinute: 3 } });
    file.write();
    stack = await EnvoyService.start(['topics'], {
      VERDICT_API_KEYS_FILE: file.path,
      VERDICT_TRUSTED_PROXIES: '127.0.0.1',
    });
    port = Number(new URL(stack.envoy.url).port);
  });
  after(() => stack.stop());

  const body = JSON.stringify({ text: 'the coach' });
  /** Status, and reason where there is one, of a request with these headers. */
  async function ask(...headers: string[]): Promise<string> {
    const answer = await exchange(port, request(headers, { body }));
    const [first = ''] = answer.split(/^HTTP\/1\.1 404 /m);
    return [statuses(answer)[0], /"reason":"(\w+)"/.exec(first)?.[1]].join(' ').trim();
  }

  it('takes one key in one header, and nothing that only looks like it', async () => {
    assert.equal(await ask(`x-api-key: ${key}`), '200');
    assert.equal(await ask(`authorization: Bearer ${key}`), '200');
    const other = newKey('web');
    for (const headers of [
      [`x-api-key: ${key}`, `authorization: Bearer ${key}`],
      [`x-api-key: ${key}`, `x-api-key: ${other}`],
      [`x-api-key: ${other}`, `x-api-key: ${key}`],
      [`authorization: Bearer ${key}`, `authorization: Bearer ${other}`],
      [`authorization: Bearer ${other}`, `authorization: Bearer ${key}`],
      [`authorization: Bearer ${other},Bearer ${key}`],
      [`x-api-key: ${key}\r\n ${other}`],
      [`x-api-key: ${key}\xe4`],
    ])
      assert.equal(await ask(...headers), '401 INVALID_CREDENTIALS', headers.join());
    assert.equal(await ask(`x_api_key: ${key}`), '401 MISSING_CREDENTIALS');
    assert.equal(await ask(`grpc-metadata-x-api-key: ${key}`), '401 MISSING_CREDENTIALS');
    assert.equal(await ask(`x-a: a\rx-api-key: ${key}`), '401 MISSING_CREDENTIALS');
  });

  it('refuses deadlines of which there are two', async () => {
    const good = `x-api-key: ${key}`;
    assert.equal(await ask(good, 'grpc-timeout: 10S'), '200');
    assert.equal(await ask(good, 'grpc-timeout: 10S', 'grpc-timeout: 9H'), '400 MALFORMED_TIMEOUT');
    assert.equal(await ask(good, 'grpc-timeout: 10S,9H'), '400 MALFORMED_TIMEOUT');
  });

  it('answers calls with as many headers, and as large ones, as Envoy lets through', async () => {
    const good = `x-api-key: ${key}`;
    // Host, length and key are three more.
    const names = Array.from({ length: 61 }, (_, n) => `x-a-${n}`);
    const used = 400;
    const each = Math.floor((12 * 1024 - used) / names.length) - 'x-a-00'.length;
    assert.equal(await ask(good, ...names.map((name) => `${name}: ${'a'.repeat(each)}`)), '200');
    assert.match(await ask(good, ...names.map((name) => `${name}: ${'a'.repeat(each + 20)}`)), /^431/);
  });

  it('counts the calls of a key together, whatever address they claim to come from', async () => {
    const outcomes: string[] = [];
    for (let n = 0; n < 6; n++)
      outcomes.push(await ask(`x-api-key: ${limited}`, `x-forwarded-for: 198.51.100.${n}`));
    assert.deepEqual(outcomes, [...Array(3).fill('200'), ...Array(3).fill('429 RATE_LIMITED')]);
  });

  it('knows a caller by the address that Envoy saw, not by one that it claims', async (t) => {
    const open = await EnvoyService.start(['topics'], {
      VERDICT_TRUSTED_PROXIES: '127.0.0.1',
      VERDICT_REQUESTS_PER_MINUTE: '3',
    });
    t.after(() => open.stop());
    const outcomes: JsonValue[] = [];
    for (let n = 0; n < 6; n++) {
      const claims = { 'x-forwarded-for': `198.51.100.${n}, 127.0.0.1`, 'x-real-ip': `198.51.100.${n}` };
      const { status, json } = await open.post('/v1:classify', { text: 'the coach' }, claims);
      outcomes.push(status === 200 ? 200 : at(json, 'details', 0, 'reason'));
    }
    assert.deepEqual(outcomes, [200, 200, 200, 'RATE_LIMITED', 'RATE_LIMITED', 'RATE_LIMITED']);
  });
});
