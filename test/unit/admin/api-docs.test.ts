import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { AdminServer } from '../../../src/admin/admin-server.js';
import { apiDocsPages } from '../../../src/admin/api-docs.js';
import { repositoryRoot } from '../../support/repository.js';

const generated = join(repositoryRoot, 'generated/openapi.json');

describe('the docs of the API', () => {
  let server: AdminServer | undefined;
  let errors: unknown[];
  let url: string;

  const serve = async (options: { path?: string; apiUrl?: string } = {}) => {
    const limits = { maxTextChars: 8192, maxBatchInputs: 32 };
    const apiUrl = 'https://api.example.org/verdict';
    server = new AdminServer({
      host: '127.0.0.1',
      port: 0,
      readiness: () => ({ ready: true, reasons: [] }),
      metrics: async () => ({ contentType: 'text/plain', body: '' }),
      pages: apiDocsPages({ path: generated, apiUrl, ...limits, ...options }),
      onError: (error) => errors.push(error),
    });
    url = `http://127.0.0.1:${await server.start()}`;
  };
  beforeEach(() => {
    errors = [];
  });
  afterEach(() => server?.close(AbortSignal.abort()));

  it('describe the API as this server has it', async () => {
    const path = generated;
    const apiUrl = 'https://api.example.org/verdict';
    const pages = apiDocsPages({ path, apiUrl, maxTextChars: 500, maxBatchInputs: 7 });
    const page = await pages['/openapi.json']?.('');
    assert.equal(page?.contentType, 'application/json; charset=utf-8');
    const wanted = JSON.parse(readFileSync(generated, 'utf8'));
    wanted.servers = [{ url: apiUrl }];
    const { schemas } = wanted.components;
    schemas.Text.maxLength = 500;
    schemas['verdict.v1.BatchClassifyRequest'].properties.inputs.maxItems = 7;
    schemas['verdict.v1.ModelBatchClassifyRequest'].properties.inputs.maxItems = 7;
    assert.deepEqual(JSON.parse(String(page?.body)), wanted);
  });

  it('are a page that loads all it needs from this very server', async () => {
    await serve();
    for (const path of ['/docs', '/docs/', '/docs?deep=link']) {
      const response = await fetch(url + path);
      assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
      assert.equal(response.headers.get('cache-control'), 'no-store');
      const html = await response.text();
      const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link);
      assert.equal(links.length, 4);
      for (const link of links) {
        assert.match(link, /^\/docs\//);
        assert.equal((await fetch(url + link)).status, 200, link);
      }
    }
  });

  it('say what to start when nothing answers at the API, and take it back when something does', async () => {
    const api = createServer((_, response) => response.writeHead(404).end());
    api.listen(0, '127.0.0.1');
    await once(api, 'listening');
    const apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    await serve({ apiUrl });
    const html = await (await fetch(`${url}/docs`)).text();
    assert.match(
      html,
      new RegExp(`hidden>[^]*Nothing answers at ${apiUrl}<[^]*npm run envoy[^]*VERDICT_DOCS_API_URL`),
    );
    const [, probe = ''] = /data-probe="([^"]+)"/.exec(html) ?? [];
    assert.equal(probe, `${apiUrl}/v1/models`);

    const banner = { hidden: true, dataset: { probe } };
    let fetched: Promise<unknown> = Promise.resolve();
    const listeners: Record<string, () => unknown> = {};
    const swagger = Object.assign(
      (options: { requestInterceptor: (request: object) => object }) => {
        listeners.request = () => options.requestInterceptor({});
      },
      { presets: { apis: [] } },
    );
    runInNewContext(await (await fetch(`${url}/docs/start.js`)).text(), {
      document: { getElementById: () => banner },
      window: {
        addEventListener: (event: string, listener: () => unknown) => {
          listeners[event] = listener;
        },
      },
      fetch: (target: string, init: RequestInit) => {
        const answer = fetch(target, { ...init, mode: 'cors' });
        fetched = answer.then(
          () => undefined,
          () => undefined,
        );
        return answer;
      },
      SwaggerUIBundle: swagger,
    });
    const looked = async () => {
      await fetched;
      await new Promise((resolve) => setImmediate(resolve));
      return banner.hidden;
    };
    assert.equal(await looked(), true, 'it answers, if only with 404');
    api.closeAllConnections();
    api.close();
    await once(api, 'close');
    listeners.request?.();
    assert.equal(await looked(), false);
    api.listen(Number(new URL(apiUrl).port), '127.0.0.1');
    await once(api, 'listening');
    listeners.focus?.();
    assert.equal(await looked(), true);
    api.closeAllConnections();
    api.close();
  });

  it('write an address into the page so that it stays an address', async () => {
    const apiUrl = 'http://127.0.0.1/a"><script>&';
    const page = await apiDocsPages({ path: generated, apiUrl, maxTextChars: 1, maxBatchInputs: 1 })[
      '/docs'
    ]?.('');
    assert.match(String(page?.body), /at http:\/\/127\.0\.0\.1\/a&quot;&gt;&lt;script&gt;&amp;</);
  });

  it('let the page run no inline script, and talk to the API alone', async () => {
    await serve();
    const response = await fetch(`${url}/docs`);
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.ok(policy.includes("default-src 'none'; script-src 'self'; style-src 'self';"), policy);
    assert.ok(policy.includes("connect-src 'self' https://api.example.org;"), policy);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.doesNotMatch(await response.text(), /<script>|<style|style=/);
  });

  it('serve the files of Swagger UI with their types, to be kept', async () => {
    await serve();
    const types = {
      '/docs/swagger-ui.css': 'text/css; charset=utf-8',
      '/docs/swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
      '/docs/favicon-32x32.png': 'image/png',
    };
    for (const [path, type] of Object.entries(types)) {
      const response = await fetch(url + path);
      assert.equal(response.headers.get('content-type'), type);
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
      assert.match(response.headers.get('cache-control') ?? '', /immutable/);
      const file = readFileSync(join(repositoryRoot, path.replace('/docs', 'node_modules/swagger-ui-dist')));
      assert.ok(file.equals(Buffer.from(await response.arrayBuffer())), path);
    }
  });

  it('serve no other file', async () => {
    await serve();
    for (const path of [
      '/docs/package.json',
      '/docs/../package.json',
      '/docs/..%2fpackage.json',
      '/docs/%2e%2e/package.json',
      '/docs//swagger-ui.css',
      '/docs/swagger-ui.css/',
      '/docs/constructor',
      '/docs/swagger-ui-bundle.js.map',
    ]) {
      assert.equal(await rawStatus(path), 404, path);
    }
  });

  it('take GET and HEAD alone', async () => {
    await serve();
    const head = await fetch(`${url}/docs/swagger-ui-bundle.js`, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    assert.ok(Number(head.headers.get('content-length')) > 1_000_000);
    assert.equal((await fetch(`${url}/openapi.json`, { method: 'POST' })).status, 405);
  });

  it('are asked for again after a document could not be read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'verdict-docs-'));
    const path = join(folder, 'openapi.json');
    try {
      await serve({ path });
      assert.equal((await fetch(`${url}/openapi.json`)).status, 500);
      assert.match(String(errors[0]), /ENOENT/);
      copyFileSync(generated, path);
      assert.equal((await fetch(`${url}/openapi.json`)).status, 200);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  /** The status of a path that is sent as it is written: fetch would resolve the dots. */
  async function rawStatus(path: string): Promise<number> {
    return new Promise((resolve, reject) => {
      request(`${url}`, { path }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });
  }
});
