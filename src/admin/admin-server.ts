import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { MetricsFormat } from '../telemetry/types.js';
import type { CredentialSource } from '../tls/credential-watch.js';
import { failureOf } from '../tls/handshake-failure.js';
import { type ClientAuth, contextOptions, serverOptions } from '../tls/server-options.js';
import type { HandshakeFailure } from '../tls/types.js';
import { AdminConnections } from './admin-connections.js';
import { indexPage, topPaths } from './index-page.js';
import { metricsFormat } from './metrics-format.js';
import type { Guards, Page, Pages } from './page.js';

/** Whether the server accepts calls, and if not, why not, one sentence per reason. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** Metrics as Prometheus reads them. */
export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

export interface AdminTls {
  readonly credentials: CredentialSource;
  /** Holds where the credentials have authorities for clients. */
  readonly clientAuth: ClientAuth;
  readonly onFailed?: (reason: HandshakeFailure) => void;
}

export interface AdminServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly readiness: () => Readiness;
  readonly metrics: (format: MetricsFormat) => Promise<MetricsPage>;
  /** Further pages, by their paths. */
  readonly pages?: Pages;
  /** Who may see a page, by its path: what others are answered instead. */
  readonly guards?: Guards;
  /** HTTPS. Plain HTTP without it. */
  readonly tls?: AdminTls | undefined;
  /** A page could not be made. */
  readonly onError?: (error: unknown) => void;
}

/** Probes have no certificate to show. */
const probePaths: readonly string[] = ['/livez', '/readyz'];

const maxConnections = 64;
const handshakeTimeoutMs = 10_000;
/** Time for a request to arrive in full; pages need no body. */
const requestTimeoutMs = 2_000;
const keepAliveTimeoutMs = 5_000;
/** Time for the client to read an answer. */
const stalledTimeoutMs = 10_000;

/**
 * HTTP for operators: `/livez`, `/readyz`, `/metrics`, the docs of the API, and an index of these at `/`. It has its
 * own limits and its own port. If clients must have certificates, the pages need one, but for those that probes ask for.
 */
export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #server: Server;
  readonly #pages: Pages;
  readonly #connections: AdminConnections;
  readonly #metricsUnderWay = new Map<MetricsFormat, Promise<MetricsPage>>();

  constructor(options: AdminServerOptions) {
    this.#options = options;
    this.#pages = {
      '/': (accept) => indexPage(Object.keys(this.#pages), accept),
      '/livez': () => ({ status: 200, contentType: 'text/plain; charset=utf-8', body: 'alive\n' }),
      '/readyz': () => this.#readyPage(),
      '/metrics': async (accept) => ({ status: 200, ...(await this.#metrics(metricsFormat(accept))) }),
      ...options.pages,
    };
    const limits = {
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: 500,
    };
    this.#server = options.tls === undefined ? createServer(limits) : tlsServer(options.tls, limits);
    this.#server.timeout = stalledTimeoutMs;
    this.#connections = new AdminConnections(this.#server, maxConnections);
    // A connection that cannot be accepted, for want of descriptors in the whole system, say. `start` hears of its own failure.
    this.#server.on('error', (error) => {
      if (this.#server.listening) options.onError?.(error);
    });
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
   * @throws the system's error if the address is not available: `EADDRINUSE`, `EACCES`
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
    this.#connections.endHandshakes();
    this.#server.closeIdleConnections();
    if (signal?.aborted === true) cut();
    signal?.addEventListener('abort', cut, { once: true });
    await closed;
    signal?.removeEventListener('abort', cut);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // No page takes a body: read and discard it, so that the connection can be used again.
    request.resume();
    const path = request.url?.split('?', 1)[0] ?? '';
    const page = Object.hasOwn(this.#pages, path) ? this.#pages[path] : undefined;
    if (!probePaths.includes(path) && this.#lacksCertificate(request)) {
      const body = `this page needs a client certificate; ${probePaths.join(' and ')} do not\n`;
      send(response, { status: 403, contentType: 'text/plain; charset=utf-8', body });
    } else if (page === undefined) {
      const body = `no such page; the pages are ${topPaths(Object.keys(this.#pages)).join(', ')}\n`;
      send(response, { status: 404, contentType: 'text/plain; charset=utf-8', body });
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      send(response, { status: 405, contentType: 'text/plain; charset=utf-8', body: 'GET or HEAD only\n' });
    } else {
      const refusal = await this.#options.guards?.[path]?.(request.headersDistinct);
      send(response, refusal ?? (await page(request.headers.accept ?? '')));
    }
  }

  #lacksCertificate({ socket }: IncomingMessage): boolean {
    const { tls } = this.#options;
    if (tls?.clientAuth !== 'require' || tls.credentials.current.clientCa === undefined) return false;
    return !(socket instanceof TLSSocket && socket.authorized);
  }

  #readyPage(): Page {
    const { ready, reasons } = this.#options.readiness();
    const body = `${JSON.stringify({ ready, reasons })}\n`;
    return { status: ready ? 200 : 503, contentType: 'application/json; charset=utf-8', body };
  }

  /** Simultaneous scrapes share one rendering, which takes milliseconds of the main thread. */
  #metrics(format: MetricsFormat): Promise<MetricsPage> {
    const underWay = this.#metricsUnderWay.get(format);
    if (underWay !== undefined) return underWay;
    const page = this.#options.metrics(format).finally(() => this.#metricsUnderWay.delete(format));
    this.#metricsUnderWay.set(format, page);
    return page;
  }
}

function tlsServer({ credentials, onFailed }: AdminTls, limits: ServerOptions): Server {
  const server = createTlsServer({
    ...serverOptions(credentials.current, false),
    ...limits,
    handshakeTimeout: handshakeTimeoutMs,
  });
  server.on('tlsClientError', (error, socket) => {
    socket.destroy();
    onFailed?.(failureOf(error, socket));
  });
  credentials.onChange((changed) => server.setSecureContext(contextOptions(changed)));
  return server;
}

function send(response: ServerResponse, { status, contentType, body, headers }: Page): void {
  const own = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
  // Node itself leaves out the body of an answer to HEAD.
  response.writeHead(status, { ...own, 'cache-control': 'no-store', ...headers }).end(body);
}
