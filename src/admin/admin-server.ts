import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AdminConnections } from './admin-connections.js';
import { indexPage, topPaths } from './index-page.js';
import type { Page, Pages } from './page.js';

/** Whether the server takes calls, and if not, why not, a sentence each. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** Metrics as Prometheus reads them. */
export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

export interface AdminServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly readiness: () => Readiness;
  readonly metrics: () => Promise<MetricsPage>;
  /** Further pages, by their paths. */
  readonly pages?: Pages;
  /** A page could not be made. */
  readonly onError?: (error: unknown) => void;
}

const maxConnections = 64;
/** For a request to come in full; pages need no body. */
const requestTimeoutMs = 2_000;
const keepAliveTimeoutMs = 5_000;
/** For an answer that is not taken. */
const stalledTimeoutMs = 10_000;

/** HTTP for operators: `/livez`, `/readyz`, `/metrics`, the docs of the API, and an index of these at `/`. Bounded, and apart from the port that callers use. */
export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #server: Server;
  readonly #pages: Pages;
  #metricsUnderWay: Promise<MetricsPage> | undefined;

  constructor(options: AdminServerOptions) {
    this.#options = options;
    this.#pages = {
      '/': (accept) => indexPage(Object.keys(this.#pages), accept),
      '/livez': () => ({ status: 200, contentType: 'text/plain; charset=utf-8', body: 'alive\n' }),
      '/readyz': () => this.#readyPage(),
      '/metrics': async () => ({ status: 200, ...(await this.#metrics()) }),
      ...options.pages,
    };
    this.#server = createServer({
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: 500,
    });
    this.#server.timeout = stalledTimeoutMs;
    new AdminConnections(this.#server, maxConnections);
    this.#server.on('request', (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#options.onError?.(error);
        send(response, { status: 500, contentType: 'text/plain; charset=utf-8', body: 'failed\n' });
      });
    });
  }

  /**
   * Listens.
   * @returns the port
   * @throws Error of the system where the address cannot be had: `EADDRINUSE`, `EACCES`
   */
  start(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Stops listening, and waits for the answers under way until the signal cuts them off. */
  async close(signal?: AbortSignal): Promise<void> {
    if (!this.#server.listening) return;
    const cut = () => this.#server.closeAllConnections();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    if (signal?.aborted === true) cut();
    signal?.addEventListener('abort', cut, { once: true });
    await closed;
    signal?.removeEventListener('abort', cut);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A body, which no page wants, is read away so that the connection can go on.
    request.resume();
    const path = request.url?.split('?', 1)[0] ?? '';
    const page = Object.hasOwn(this.#pages, path) ? this.#pages[path] : undefined;
    if (page === undefined) {
      const body = `no such page; the pages are ${topPaths(Object.keys(this.#pages)).join(', ')}\n`;
      send(response, { status: 404, contentType: 'text/plain; charset=utf-8', body });
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      send(response, { status: 405, contentType: 'text/plain; charset=utf-8', body: 'GET or HEAD only\n' });
    } else {
      send(response, await page(request.headers.accept ?? ''));
    }
  }

  #readyPage(): Page {
    const { ready, reasons } = this.#options.readiness();
    const body = `${JSON.stringify({ ready, reasons })}\n`;
    return { status: ready ? 200 : 503, contentType: 'application/json; charset=utf-8', body };
  }

  /** Scrapes that come together share one rendering, which takes milliseconds of the main thread. */
  #metrics(): Promise<MetricsPage> {
    this.#metricsUnderWay ??= this.#options.metrics().finally(() => {
      this.#metricsUnderWay = undefined;
    });
    return this.#metricsUnderWay;
  }
}

function send(response: ServerResponse, { status, contentType, body, headers }: Page): void {
  const own = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
  // Node itself leaves out the body of an answer to HEAD.
  response.writeHead(status, { ...own, 'cache-control': 'no-store', ...headers }).end(body);
}
