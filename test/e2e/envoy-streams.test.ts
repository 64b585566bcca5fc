import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { EnvoyService } from '../support/envoy-service.js';
import { at, type JsonValue } from '../support/json-value.js';
import { OpenStream } from '../support/open-stream.js';
import { streamForms, streamMessages } from '../support/stream-body.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';

const maxBodyBytes = 8_388_608;

describe('a stream over HTTP, through Envoy', { skip: await skipWithout('envoy') }, () => {
  let stack: EnvoyService;

  before(async () => {
    stack = await EnvoyService.start(['topics'], { VERDICT_STREAM_WINDOW: '16' });
  });

  after(() => stack.stop());

  /** Requests of which every hundredth is wrong, and few are new. */
  const requests = (count: number): { id: string; text: string }[] =>
    Array.from({ length: count }, (_, n) => ({
      id: `n${n}`,
      text: n % 100 === 99 ? ' ' : `match ${n % 40}`,
    }));

  /** Checks that a stream is whole: one answer for each request, in order, and an `end` that says so. */
  function assertWhole(messages: readonly JsonValue[], count: number): void {
    assert.equal(messages.length, count + 1);
    for (const [index, message] of messages.slice(0, -1).entries()) {
      assert.equal(at(message, 'index'), index);
      assert.equal(at(message, 'id'), `n${index}`);
      if (index % 100 === 99) assert.equal(at(message, 'error', 'code'), 3);
      else assert.equal(at(message, 'classification', 'model'), 'topics');
    }
    const failed = Math.floor(count / 100);
    const end = messages.at(-1) ?? null;
    assert.equal(at(end, 'index'), count);
    assert.equal(at(end, 'end', 'classifiedCount'), count - failed);
    assert.equal(at(end, 'end', 'failedCount'), failed);
    assert.equal(at(end, 'end', 'status', 'code'), 0);
  }

  for (const accept of streamForms) {
    it(`answers 10,000 requests as ${accept}, the bad ones in their place, and \`end\` last`, async () => {
      const { status, headers, text } = await stack.post('/v1:classifyStream', requests(10_000), { accept });
      assert.equal(status, 200);
      assert.equal(headers.get('content-type'), accept);
      assertWhole(streamMessages(accept, text), 10_000);
    });
  }

  it('answers an empty array with `end` alone', async () => {
    assertWhole(streamMessages('application/json', (await stack.post('/v1:classifyStream', [])).text), 0);
  });

  it('does not deadlock with a caller who reads nothing before everything is sent', async () => {
    // Nearly the most that is taken, and answers of more than all sockets and windows on the way can hold.
    const count = 45_000;
    const longId = 'x'.repeat(128);
    const body = JSON.stringify(requests(count).map(({ text }) => ({ id: longId, text })));
    assert.ok(body.length > 0.8 * maxBodyBytes);
    const before = await stack.envoy.stat('http.api.downstream_cx_rx_bytes_total');
    const { port } = new URL(stack.envoy.url);
    const socket = connect({ port: Number(port), host: '127.0.0.1' });
    socket.pause();
    const head = 'POST /v1:classifyStream HTTP/1.1\r\nhost: verdict\r\naccept: application/x-ndjson\r\n';
    socket.write(`${head}connection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`);
    socket.write(body);
    // The sockets of one machine hold megabytes: only Envoy can tell that the caller is rid of it all.
    await until('Envoy has the whole body', async () => {
      return (await stack.envoy.stat('http.api.downstream_cx_rx_bytes_total')) > before + body.length;
    });
    let received = 0;
    let tail = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text.length;
      tail = (tail + text).slice(-1000);
    });
    socket.resume();
    await once(socket, 'end');
    assert.match(tail, /"end":\{"classifiedCount":44550,"failedCount":450,.*"code":0/);
    assert.ok(received > 2 * body.length);
  });

  it('refuses more than 8 MiB with 413, told the length or not', async () => {
    const body = `[${' '.repeat(maxBodyBytes)}]`;
    const told = await stack.post('/v1:classifyStream', body);
    assert.equal(told.status, 413);
    assert.equal(at(told.json, 'code'), 3);
    assert.equal(at(told.json, 'message'), `the body has more than ${maxBodyBytes} bytes`);
    const untold: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      body: new Blob([body]).stream(),
      duplex: 'half',
    };
    assert.equal((await fetch(`${stack.envoy.url}/v1:classifyStream`, untold)).status, 413);
    const most = await stack.post('/v1:classifyStream', `[${' '.repeat(maxBodyBytes - 2)}]`);
    assert.equal(most.status, 200);
  });

  it('flows both ways at once over HTTP/2, without a limit', async () => {
    const stream = new OpenStream(stack.envoy.url);
    try {
      // Each is answered while the request goes on, and together they are more than a body with a length may be.
      for (let n = 0; n < 4; n++) await stream.ask(`n${n}`, 'the match', maxBodyBytes / 3);
      stream.end();
      await stream.ended;
      assertWhole(stream.messages, 4);
    } finally {
      stream.close();
    }
  });

  it('a client that goes away takes its work with it', async () => {
    const { service } = stack;
    const release = service.holdSession('topics');
    try {
      const leaving = new AbortController();
      const body = JSON.stringify(Array.from({ length: 500 }, (_, n) => ({ text: `a match not seen ${n}` })));
      const call = fetch(`${stack.envoy.url}/v1:classifyStream`, {
        method: 'POST',
        body,
        signal: leaving.signal,
      });
      await until('its window is in the queue', async () => {
        return (await service.server.metric('verdict_queue_items')) > 0;
      });
      leaving.abort();
      await assert.rejects(call, { name: 'AbortError' });
      await until('the server has given the stream up', async () => {
        return (await service.server.metric('verdict_streams_in_flight')) === 0;
      });
      const labels = { grpc_method: 'ClassifyStream', grpc_code: 'CANCELLED' };
      assert.equal(await service.server.metric('grpc_server_handled_total', labels), 1);
      await service.untilQueued('topics', 0);
    } finally {
      release();
    }
  });

  it('that is cut off has no `end`', async () => {
    // The last test of this server.
    const { service } = stack;
    const response = await fetch(`${stack.envoy.url}/v1:classifyStream`, {
      method: 'POST',
      headers: { accept: 'application/x-ndjson' },
      body: JSON.stringify(requests(20_000)),
    });
    assert.equal(response.status, 200);
    assert.ok(response.body !== null);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader.read()).value ?? '';
    service.server.kill('SIGKILL');
    const readOn = async (): Promise<void> => {
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) text += chunk.value;
    };
    // Envoy resets the connection, or ends the body as if it were whole.
    await readOn().catch(() => undefined);
    assert.match(text, /^\{"id":"n0"/);
    assert.ok(!text.includes('"end"'));
  });
});
