import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { HeldMemory } from '../support/held-memory.js';
import { HttpService } from '../support/http-service.js';
import { at } from '../support/json-value.js';
import { TestKeyFile } from '../support/key-files.js';
import { postHead, RawHttp } from '../support/raw-http.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const PATIENCE = { timeout: 120_000 };
const good = JSON.stringify({ text: 'the coach' });

async function start(t: TestContext, settings: Record<string, string> = {}): Promise<HttpService> {
  const http = await HttpService.start(['topics'], settings);
  t.after(() => http.stop());
  return http;
}

function open(t: TestContext, { url }: HttpService): RawHttp {
  const raw = new RawHttp(url);
  t.after(() => raw.close());
  return raw;
}

/** Somebody else is answered, over both ports. */
async function answersOthers(http: HttpService): Promise<void> {
  assert.equal((await http.post('/v1:classify', { text: 'the coach' })).status, 200);
  assert.equal((await http.service.client.classify('the coach')).label, 'sports');
}

describe('what is no request', PATIENCE, () => {
  const requests: readonly (readonly [what: string, text: string, status: number])[] = [
    ['garbage', '\x16\x03\x01 what?\r\n\r\n', 400],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    [
      'two lengths',
      `POST /v1:classify HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}`,
      400,
    ],
    [
      'a length beside chunks',
      `${postHead('/v1:classify', { 'content-length': 4, 'transfer-encoding': 'chunked' })}0\r\n\r\nGET /v1/models HTTP/1.1\r\n\r\n`,
      400,
    ],
    ['chunks that are none', `${postHead('/v1:classify', { 'transfer-encoding': 'chunked' })}zz\r\n`, 400],
    ['an unknown transfer coding', postHead('/v1:classify', { 'transfer-encoding': 'gzip' }), 400],
    ['a line break within a header', 'GET /v1/models HTTP/1.1\r\nhost: a\nx: b\rc: d\r\n\r\n', 400],
    ['no host', 'GET /v1/models HTTP/1.1\r\n\r\n', 400],
    ['headers without end', postHead('/v1:classify', { x: 'x'.repeat(16_000) }), 431],
    [
      'too many headers',
      postHead('/v1:classify', Object.fromEntries(Array.from({ length: 80 }, (_, n) => [`x${n}`, 1]))),
      431,
    ],
  ];
  it('is refused, and harms nobody', async (t) => {
    const http = await start(t);
    for (const [what, text, status] of requests) {
      const raw = open(t, http).send(text);
      assert.equal(await raw.status(), status, what);
      await raw.ended();
      // One answer: nothing that was smuggled in behind has become a request.
      assert.equal(raw.received.match(/HTTP\/1\.1 \d/g)?.length, 1, what);
    }
    const refused = await http.service.server.metric('verdict_calls_refused_total', { reason: 'not_a_call' });
    assert.ok(refused >= requests.length, `${refused} are counted`);
    await answersOthers(http);
  });

  it('is a clear refusal where it can be read', async (t) => {
    const http = await start(t);
    const bodies: readonly (readonly [body: string, status: number])[] = [
      ['['.repeat(2_000_000), 400],
      [`{"text":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`, 400],
      ['{"text":"\\ud800"}', 400],
      ['{"__proto__":{"text":"the coach"}}', 400],
      ['null', 400],
      ['"text"', 400],
    ];
    for (const [body, status] of bodies) {
      const answer = await http.post('/v1:classify', body);
      assert.equal(answer.status, status, body.slice(0, 40));
      assert.equal(at(answer.json, 'code'), 3);
      assert.ok(answer.text.length < 1_000);
    }
    const raw = open(t, http);
    raw.socket.write(postHead('/v1:classify', { 'content-length': 12 }));
    raw.socket.write(Buffer.from('{"text":"\xff"}', 'latin1'));
    assert.equal(await raw.status(), 400);
    for (const coding of ['br', 'gzip, gzip', 'constructor']) {
      const coded = await http.post('/v1:classify', good, { 'content-encoding': coding });
      assert.deepEqual([coded.status, coded.headers.get('accept-encoding')], [415, 'gzip, deflate'], coding);
    }
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const answer = await fetch(`${http.url}/v1:classify`, { method });
      assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST']);
    }
    const expecting = open(t, http).send(
      postHead('/v1:classify', { expect: 'a wonder', 'content-length': 2 }),
    );
    assert.equal(await expecting.status(), 417);
    await answersOthers(http);
  });
});

describe('a compressed body', PATIENCE, () => {
  const zipped = (body: string | Buffer) => ({
    body: gzipSync(body),
    headers: { 'content-encoding': 'gzip' },
  });

  it('that is damaged, cut off or not compressed at all is refused as that', async (t) => {
    const http = await start(t);
    const { body } = zipped(good);
    const bodies = [Buffer.from(good), body.subarray(0, body.length - 9), Buffer.alloc(0)];
    const paths = {
      ...{ '/v1:classify': 400, '/v1:classifyStream': 400, '/v2/models/topics/infer': 400 },
      // text-embeddings-inference has this code for all that is wrong with a request.
      '/predict': 413,
    };
    for (const [path, status] of Object.entries(paths))
      for (const bad of bodies) {
        const answer = await http.postBytes(path, bad, { 'content-encoding': 'gzip' });
        assert.equal(answer.status, status, `${path} ${bad.length}: ${answer.text}`);
        assert.match(answer.text, /cannot be decompressed/);
      }
    const lines = { 'content-encoding': 'gzip', 'content-type': 'application/x-ndjson' };
    const cut = await http.postBytes('/v1:classifyStream', body.subarray(0, body.length - 9), lines);
    assert.match(cut.text, /cannot be decompressed/);
    await answersOthers(http);
  });

  it('may not grow beyond what a body may have, and the connection goes on', async (t) => {
    const http = await start(t);
    const bomb = gzipSync(Buffer.alloc(200 * 2 ** 20));
    const raw = open(t, http);
    raw.socket.write(postHead('/v1:classify', { 'content-encoding': 'gzip', 'content-length': bomb.length }));
    raw.socket.write(bomb);
    assert.equal(await raw.status(), 413);
    raw.send(`${postHead('/v1:classify', { 'content-length': good.length })}${good}`);
    await until('the next request is answered', () => raw.received.includes('"sports"'));
    const { body, headers } = zipped(Buffer.alloc(4 * 2 ** 20, ' '));
    const tooDense = await http.postBytes('/v1:classify', body, headers);
    assert.equal(tooDense.status, 413);
    assert.match(tooDense.text, /the body inflates to more than 200 times its size/);
    await answersOthers(http);
  });

  it('of lines may not be blank for ever, nor one endless line', async (t) => {
    const http = await start(t);
    for (const byte of ['\n', ' ', 'x']) {
      const { body, headers } = zipped(Buffer.alloc(64 * 2 ** 20, byte));
      const answer = await http.postBytes('/v1:classifyStream', body, {
        ...headers,
        'content-type': 'application/x-ndjson',
      });
      assert.equal(answer.status, 413, JSON.stringify(byte));
      assert.match(answer.text, /a line of the body, or blank lines before it, have more than/);
    }
    await answersOthers(http);
  });

  it('may not go on without becoming anything', async (t) => {
    const http = await start(t);
    // An empty gzip, whose last byte of the head is followed by stored blocks of no length.
    const head = gzipSync('').subarray(0, 10);
    const blocks = Buffer.alloc(400_000, Buffer.from([0, 0, 0, 0xff, 0xff]));
    const answer = await http.postBytes('/v1:classifyStream', Buffer.concat([head, blocks]), {
      'content-encoding': 'gzip',
      'content-type': 'application/x-ndjson',
    });
    assert.equal(answer.status, 400);
    assert.match(answer.text, /cannot be decompressed/);
  });

  it('is refused where the server takes none', async (t) => {
    const http = await start(t, { VERDICT_COMPRESSION: 'off' });
    const { body, headers } = zipped(good);
    const answer = await http.postBytes('/v1:classify', body, headers);
    assert.deepEqual([answer.status, answer.headers.get('accept-encoding')], [415, 'identity']);
  });

  it('whose caller leaves is let go', async (t) => {
    const http = await start(t);
    const { body } = zipped(good);
    for (let round = 0; round < 50; round++) {
      const raw = open(t, http);
      raw.socket.write(
        postHead('/v1:classify', { 'content-encoding': 'gzip', 'content-length': body.length }),
      );
      raw.socket.write(body.subarray(0, 15));
      await new Promise((resolve) => setTimeout(resolve, 5));
      raw.close();
    }
    const { server } = http.service;
    const called = { grpc_method: 'Classify' };
    await until('every call has ended', async () => {
      const ended = await server.metric('grpc_server_handled_total', { ...called, grpc_code: 'CANCELLED' });
      return ended > 0 && ended === (await server.metric('grpc_server_started_total', called));
    });
    await answersOthers(http);
  });
});

describe('a body of many small things', PATIENCE, () => {
  it('is counted before anything is made of it', async (t) => {
    const http = await start(t);
    const bodies = {
      '/v1:classify': `{"text":"x","options":{"topK":[${'1,'.repeat(200_000)}1]}}`,
      '/v1:batchClassify': `{"inputs":[${'{},'.repeat(200_000)}{}]}`,
      '/v1:classifyStream': `[${'{},'.repeat(300_000)}{}]`,
      '/v1/moderations': `{"input":[${'"",'.repeat(200_000)}""]}`,
      '/models/topics': `{"inputs":[${'"",'.repeat(200_000)}""]}`,
      '/v2/models/topics/infer': `{"inputs":[${'{},'.repeat(200_000)}{}]}`,
    };
    for (const [path, body] of Object.entries(bodies)) {
      const answer = await http.post(path, body);
      assert.equal(answer.status, 400, path);
      assert.match(answer.text, /the body holds more than [14]00000 JSON values/, path);
    }
    // Commas and brackets within texts count for nothing.
    const texts = Array.from({ length: 32 }, () => ({ text: `\\",[{${'[{,"\\'.repeat(1_000)}` }));
    assert.equal((await http.post('/v1:batchClassify', { inputs: texts })).status, 200);
  });

  it('is held in one piece, however small the pieces are that it comes in', async (t) => {
    const memory = new HeldMemory(temporaryFolder(t));
    const http = await start(t, memory.settings);
    const { server } = http.service;
    await answersOthers(http);
    const before = await memory.bytes(server);
    const raw = open(t, http).send(postHead('/v1:batchClassify', { 'transfer-encoding': 'chunked' }));
    raw.send('1\r\n{\r\n'.repeat(300_000));
    await until('the bytes are held', async () => (await server.metric('verdict_held_bytes')) >= 300_000);
    const grown = (await memory.bytes(server)) - before;
    // As pieces of their own they took 30 MB and more.
    assert.ok(grown < 5_000_000, `${grown} bytes`);
    const line = open(t, http).send(
      postHead('/v1:classifyStream', {
        'transfer-encoding': 'chunked',
        'content-type': 'application/x-ndjson',
      }),
    );
    line.send(`${'1\r\nx\r\n'.repeat(90_000)}1\r\n\n\r\n`);
    await until('the line is answered', () => line.received.includes('MALFORMED_MESSAGE'));
    await answersOthers(http);
  });
});

describe('callers who take their time', PATIENCE, () => {
  it('have so long for a body, and the others do not wait', async (t) => {
    const http = await start(t, { VERDICT_MESSAGE_TIMEOUT_MS: '300' });
    const slow = open(t, http).send(`${postHead('/v1:classify', { 'content-length': 100 })}{"text":`);
    const silent = open(t, http).send(postHead('/v1:classify', { 'content-length': 100 }));
    const stream = open(t, http).send(
      `${postHead('/v1:classifyStream', { 'transfer-encoding': 'chunked', 'content-type': 'application/x-ndjson' })}5\r\n{"tex\r\n`,
    );
    for (const raw of [slow, silent, stream]) {
      assert.equal(await raw.status(), 504);
      assert.match(raw.received, /"MESSAGE_TIMEOUT"/);
      await raw.ended();
    }
    await answersOthers(http);
  });

  it('are given leave to send once they are known, and not before', async (t) => {
    const keys = new TestKeyFile(temporaryFolder(t));
    const key = keys.add('somebody');
    keys.write();
    const http = await start(t, { VERDICT_API_KEYS_FILE: keys.path });
    const asks = { expect: '100-continue', 'content-length': good.length };
    const stranger = open(t, http).send(postHead('/v1:classify', asks));
    assert.equal(await stranger.status(), 401);
    const known = open(t, http).send(postHead('/v1:classify', { ...asks, authorization: `Bearer ${key}` }));
    assert.equal(await known.status(), 100);
    known.send(good);
    await until('it is answered', () => known.received.includes('"sports"'));
  });

  it('are not answered before they are known, body or not', async (t) => {
    const keys = new TestKeyFile(temporaryFolder(t));
    keys.add('somebody');
    keys.write();
    const http = await start(t, { VERDICT_API_KEYS_FILE: keys.path });
    // Nothing of the body has been sent.
    const raw = open(t, http).send(postHead('/v1:classify', { 'content-length': 1_000_000 }));
    assert.equal(await raw.status(), 401);
    assert.match(raw.received, /www-authenticate: Bearer/);
  });

  it('may not hold more than there is for all', async (t) => {
    const http = await start(t, { VERDICT_MAX_HELD_MIB: '8' });
    const half = `{"text":"${'x'.repeat(900_000)}`;
    const holders = Array.from({ length: 20 }, () =>
      open(t, http).send(`${postHead('/v1:classify', { 'content-length': 2_000_000 })}${half}`),
    );
    await until('some are told to come again', () => holders.some(({ received }) => received !== ''));
    const told = holders.filter(({ received }) => received !== '');
    for (const raw of told) {
      assert.equal(await raw.status(), 429);
      assert.match(raw.received, /"MEMORY_PRESSURE"/);
    }
    await answersOthers(http);
    for (const raw of holders) raw.close();
    await until(
      'nothing is held',
      async () => (await http.service.server.metric('verdict_held_bytes')) === 0,
    );
  });

  it('who do not read a stream are not read from', async (t) => {
    const http = await start(t, { VERDICT_STREAM_WINDOW: '16' });
    const raw = open(t, http);
    raw.socket.pause();
    raw.send(
      postHead('/v1:classifyStream', {
        'transfer-encoding': 'chunked',
        'content-type': 'application/x-ndjson',
        accept: 'application/x-ndjson',
      }),
    );
    const line = `{"id":"${'i'.repeat(100)}","text":"the coach"}\n`.repeat(500);
    const chunk = `${line.length.toString(16)}\r\n${line}\r\n`;
    // The sockets of one machine hold some megabytes; then the server takes no more.
    let sent = 0;
    await until('the server takes no more', async () => {
      while (raw.socket.writableLength < chunk.length && sent < 400) {
        raw.send(chunk);
        sent++;
      }
      const before = raw.socket.bytesWritten - raw.socket.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return raw.socket.writableLength > 0 && raw.socket.bytesWritten - raw.socket.writableLength === before;
    });
    const heldBytes = await http.service.server.metric('verdict_held_bytes');
    assert.ok(heldBytes > 0 && heldBytes < 2 * 2 ** 20, `${heldBytes} bytes are held`);
    await answersOthers(http);
    raw.close();
    await until('the stream is given up', async () => {
      return (await http.service.server.metric('verdict_streams_in_flight')) === 0;
    });
  });
});

describe('callers who come in numbers', PATIENCE, () => {
  it('are not counted as refused where they just end their connections', async (t) => {
    const http = await start(t);
    for (let n = 0; n < 20; n++) {
      const raw = open(t, http).send(`${postHead('/v1:classify', { 'content-length': good.length })}${good}`);
      assert.equal(await raw.status(), 200);
      raw.socket.resetAndDestroy();
    }
    await answersOthers(http);
    const refused = await http.service.server.metric('verdict_calls_refused_total', { reason: 'not_a_call' });
    assert.equal(refused, 0);
  });

  it('have so many connections each', async (t) => {
    const http = await start(t, { VERDICT_MAX_CONNECTIONS_PER_PEER: '4' });
    const many = Array.from({ length: 8 }, () => open(t, http));
    await until('four are dropped', () => many.filter(({ hasEnded }) => hasEnded).length === 4);
    assert.equal(await http.service.server.metric('verdict_connections_refused_total', { limit: 'peer' }), 4);
    assert.equal((await http.service.client.classify('the coach')).label, 'sports');
    for (const raw of many) raw.close();
    await until('there is room again', async () => {
      return (await http.post('/v1:classify', { text: 'the coach' }).catch(() => undefined))?.status === 200;
    });
  });

  // Node tells of a request that expects something by another event.
  for (const [how, headers] of [
    ['asking without reading', {}],
    ['expecting without reading', { expect: '100-continue' }],
  ] as const) {
    it(`do not get far by ${how}`, async (t) => {
      const http = await start(t);
      const release = http.service.holdSession('topics');
      try {
        const raw = open(t, http);
        const requests = Array.from({ length: 100 }, (_, n) => {
          const body = JSON.stringify({ text: `number ${n}` });
          return `${postHead('/v1:classify', { 'content-length': body.length, ...headers })}${body}`;
        });
        raw.send(requests.join(''));
        await raw.ended();
        await http.service.untilQueued('topics', 0);
        const called = { grpc_method: 'Classify' };
        const { server } = http.service;
        await until('every call has ended', async () => {
          const cancelled = await server.metric('grpc_server_handled_total', {
            ...called,
            grpc_code: 'CANCELLED',
          });
          return cancelled >= 64 && cancelled === (await server.metric('grpc_server_started_total', called));
        });
        await until(
          'nothing is held any more',
          async () => (await server.metric('verdict_held_bytes')) === 0,
        );
      } finally {
        release();
      }
      http.service.server.kill('SIGTERM');
      assert.deepEqual(await http.service.server.exit, { code: 0, signal: null });
    });
  }
});
