import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { makeTextClient } from '../../../../bench/load/clients/make-text-client.js';

interface Seen {
  readonly url: string | undefined;
  readonly type: string | undefined;
  readonly body: unknown;
  readonly port: number | undefined;
}

/** An HTTP server that remembers what came and answers all the same. */
async function serve(t: TestContext, status: number, answer: string) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void readAll(request).then((body) => {
      const { url, headers, socket } = request;
      seen.push({ url, type: headers['content-type'], body: JSON.parse(body), port: socket.remotePort });
      response.writeHead(status).end(answer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { seen, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const common = { model: 'a model', bypassCache: false, maxInFlight: 2 };

describe('the clients over HTTP', () => {
  it('FastAPI gets one text per POST, over a connection that is kept', async (t) => {
    const { seen, address } = await serve(t, 200, '{"predictions":[{"label":"positive"}]}');
    const client = makeTextClient({ ...common, protocol: 'fastapi', address });
    t.after(() => client.close());
    assert.equal(await client.classify('naïve 日本'), 'unknown');
    await client.classify('two');
    assert.deepEqual(
      seen.map(({ url, type, body }) => ({ url, type, body })),
      ['naïve 日本', 'two'].map((text) => ({ url: '/predict', type: 'application/json', body: { text } })),
    );
    assert.equal(seen[0]?.port, seen[1]?.port);
  });

  it('the Open Inference Protocol gets a tensor of one string, at the path of the model', async (t) => {
    const { seen, address } = await serve(t, 200, '{"outputs":[{"name":"scores"}]}');
    const client = makeTextClient({ ...common, protocol: 'oip-http', address });
    t.after(() => client.close());
    assert.equal(await client.classify('one'), 'unknown');
    assert.equal(seen[0]?.url, '/v2/models/a%20model/infer');
    assert.deepEqual(seen[0]?.body, {
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: ['one'] }],
    });
  });

  it('Verdict gets one text per POST, as Envoy takes it, and tells where its answer came from', async (t) => {
    const { seen, address } = await serve(t, 200, '{"classification":{"cache":"CACHE_OUTCOME_LRU"}}');
    const cached = makeTextClient({ ...common, protocol: 'verdict-http', address });
    const bypassing = makeTextClient({ ...common, protocol: 'verdict-http', address, bypassCache: true });
    t.after(() => {
      cached.close();
      bypassing.close();
    });
    assert.equal(await cached.classify('one'), 'cache');
    await bypassing.classify('two');
    assert.deepEqual(
      seen.map(({ url, body }) => ({ url, body })),
      [
        { url: '/v1/models/a%20model:classify', body: { text: 'one', options: {} } },
        {
          url: '/v1/models/a%20model:classify',
          body: { text: 'two', options: { cache: 'CACHE_MODE_BYPASS' } },
        },
      ],
    );
  });

  for (const protocol of ['fastapi', 'oip-http', 'verdict-http'] as const) {
    it(`${protocol}: what is no answer is a failure`, async (t) => {
      const refusing = await serve(t, 503, 'busy');
      const empty = await serve(t, 200, '{}');
      const broken = await serve(t, 200, '{');
      for (const [{ address }, why] of [
        [refusing, /answered 503/],
        [empty, /an answer without/],
        [broken, SyntaxError],
      ] as const) {
        const client = makeTextClient({ ...common, protocol, address });
        t.after(() => client.close());
        await assert.rejects(client.classify('one'), why);
      }
    });
  }
});
