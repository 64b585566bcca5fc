import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { AdminServer, type MetricsPage, type Readiness } from '../../../src/admin/admin-server.js';
import type { MetricsFormat } from '../../../src/telemetry/types.js';

describe('AdminServer', () => {
  let server: AdminServer;
  let port: number;
  let readiness: Readiness;
  let metrics: (format: MetricsFormat) => Promise<MetricsPage>;
  let errors: unknown[];

  beforeEach(async () => {
    readiness = { ready: true, reasons: [] };
    metrics = async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' });
    errors = [];
    server = new AdminServer({
      host: '127.0.0.1',
      port: 0,
      readiness: () => readiness,
      metrics: (format) => metrics(format),
      onError: (error) => errors.push(error),
    });
    port = await server.start();
  });
  afterEach(() => server.close(AbortSignal.abort()));

  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);

  it('is alive as long as it answers, ready or not', async () => {
    readiness = { ready: false, reasons: ['loading'] };
    const response = await get('/livez');
    assert.deepEqual([response.status, await response.text()], [200, 'alive\n']);
  });

  it('is ready when health says so', async () => {
    const response = await get('/readyz?verbose');
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { ready: true, reasons: [] });
  });

  it('says why it is not ready', async () => {
    readiness = { ready: false, reasons: ['model sentiment is loading'] };
    const response = await get('/readyz');
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
    assert.deepEqual(await response.json(), readiness);
  });

  it('shows the metrics, uncached', async () => {
    const response = await get('/metrics');
    assert.equal(await response.text(), 'up 1\n');
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4');
    assert.equal(response.headers.get('cache-control'), 'no-store');
  });

  for (const [accept, format] of [
    ['*/*', 'prometheus'],
    ['text/plain;version=0.0.4', 'prometheus'],
    ['application/openmetrics-text; version=0.0.1', 'prometheus'],
    ['application/openmetrics-text; version=1.0.0', 'openmetrics'],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.2',
      'openmetrics',
    ],
  ] as const) {
    it(`shows the metrics as ${format} to who accepts ${accept}`, async () => {
      metrics = async (wanted) => ({ contentType: 'text/plain', body: wanted });
      assert.equal(await (await get('/metrics', { headers: { accept } })).text(), format);
    });
  }

  it('renders once for scrapes that come together', async () => {
    let renderings = 0;
    const socket = connect(port, '127.0.0.1');
    const bothAsked = new Promise<void>((resolve) => {
      readiness = {
        reasons: [],
        get ready() {
          resolve();
          return true;
        },
      };
    });
    metrics = async () => {
      renderings++;
      await bothAsked;
      return { contentType: 'text/plain', body: `rendering ${renderings}\n` };
    };
    // In one write, so that the third request is handled right after the two before it.
    const ask = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nhost: a\r\n${more}\r\n`;
    socket.end(ask('/metrics') + ask('/metrics') + ask('/readyz', 'connection: close\r\n'));
    const answers = (await socket.setEncoding('utf8').toArray()).join('');
    assert.equal(answers.match(/rendering 1/g)?.length, 2);
    assert.equal(renderings, 1);
  });

  it('answers 500 and reports when a page fails, and goes on', async () => {
    metrics = () => Promise.reject(new Error('no metrics'));
    assert.equal((await get('/metrics')).status, 500);
    assert.deepEqual(errors.map(String), ['Error: no metrics']);
    assert.equal((await get('/livez')).status, 200);
  });

  it('knows no other page, not even one that every object has', async () => {
    for (const path of ['//', '/livez/', '/constructor', '/__proto__']) {
      const response = await get(path);
      assert.equal(response.status, 404, path);
      assert.match(await response.text(), /\/livez, \/readyz, \/metrics/);
    }
  });

  it('shows at its root what there is: links in a browser, text elsewhere', async () => {
    const text = await get('/');
    assert.equal(text.status, 200);
    assert.equal(text.headers.get('content-type'), 'text/plain; charset=utf-8');
    const lines = await text.text();
    for (const path of ['/livez', '/readyz', '/metrics'])
      assert.match(lines, new RegExp(`^  ${path} +\\w`, 'm'));

    const html = await get('/', { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
    assert.equal(html.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(html.headers.get('vary'), 'accept');
    const links = [...(await html.text()).matchAll(/href="([^"]+)"/g)].map(([, link = '']) => link);
    assert.deepEqual(links, ['/livez', '/readyz', '/metrics']);
    for (const link of links) assert.equal((await get(link)).status, 200, link);
  });

  it('takes GET and HEAD alone', async () => {
    const head = await get('/livez', { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    const post = await get('/livez', { method: 'POST', body: 'x'.repeat(100_000) });
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  });

  it('has a place for a probe, however many requests are half sent and keep coming', async () => {
    const half = () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      socket.write('GET /livez HTTP/1.1\r\nhost: a\r\nx-never: end');
      return socket;
    };
    const sockets = Array.from({ length: 150 }, half);
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (let probe = 0; probe < 22; probe++) {
      for (const path of ['/livez', '/readyz', '/metrics']) {
        sockets.push(half());
        assert.equal((await get(path, { headers: { connection: 'close' } })).status, 200);
      }
    }
    for (const socket of sockets) socket.destroy();
  });

  it('ends a request that does not come in full', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /livez HTTP/1.1\r\n');
    const [answer] = (await socket.setEncoding('utf8').toArray()) as string[];
    assert.match(answer ?? '', /^HTTP\/1\.1 408 /);
  });

  it('keeps answers under way when others have to make room', async () => {
    let release: ((page: MetricsPage) => void) | undefined;
    metrics = () =>
      new Promise((done) => {
        release = done;
      });
    const scrape = get('/metrics', { headers: { connection: 'close' } });
    const sockets = Array.from({ length: 100 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    assert.equal((await get('/livez', { headers: { connection: 'close' } })).status, 200);
    release?.({ contentType: 'text/plain', body: 'kept\n' });
    assert.equal(await (await scrape).text(), 'kept\n');
    for (const socket of sockets) socket.destroy();
  });

  it('ends a connection that asks more than it waits for', async () => {
    let asked = 0;
    metrics = () => {
      asked++;
      return new Promise(() => {});
    };
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.resume();
    socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(8));
    assert.equal((await get('/livez')).status, 200);
    assert.equal(socket.closed, false);
    socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1_000));
    await once(socket, 'close');
    assert.ok(asked <= 1, `rendered ${asked} times`);
  });

  it('rejects the start when the port is taken', async () => {
    const second = new AdminServer({ host: '127.0.0.1', port, readiness: () => readiness, metrics });
    await assert.rejects(second.start(), { code: 'EADDRINUSE' });
    await second.close();
  });

  it('waits for answers under way when it closes, and then listens no more', async () => {
    let release: ((page: MetricsPage) => void) | undefined;
    const asked = new Promise<void>((resolve) => {
      metrics = () => {
        resolve();
        return new Promise((done) => {
          release = done;
        });
      };
    });
    const scrape = get('/metrics', { headers: { connection: 'close' } });
    await asked;
    const closed = server.close();
    await assert.rejects(get('/livez'));
    release?.({ contentType: 'text/plain', body: 'last\n' });
    assert.equal(await (await scrape).text(), 'last\n');
    await closed;
  });

  it('shows a page only to those whom its guard lets see it, and probes to everybody', async () => {
    const refused = { status: 401, contentType: 'text/plain', body: 'who are you?\n' };
    const guarded = new AdminServer({
      host: '127.0.0.1',
      port: 0,
      readiness: () => readiness,
      metrics: (format) => metrics(format),
      guards: { '/metrics': (headers) => (headers['x-api-key']?.[0] === 'good' ? undefined : refused) },
    });
    const address = `http://127.0.0.1:${await guarded.start()}`;
    const status = async (path: string, key: string) =>
      (await fetch(`${address}${path}`, { headers: { 'x-api-key': key } })).status;
    assert.deepEqual(
      await Promise.all([status('/metrics', 'good'), status('/metrics', 'bad'), status('/livez', 'bad')]),
      [200, 401, 200],
    );
    await guarded.close(AbortSignal.abort());
  });

  it('cuts connections off when the signal says so', async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /livez HTTP/1.1\r\n');
    await get('/livez');
    const deadline = new AbortController();
    const closed = server.close(deadline.signal);
    const ended = once(socket, 'close');
    socket.resume();
    deadline.abort();
    await Promise.all([closed, ended]);
    await server.close();
  });
});
