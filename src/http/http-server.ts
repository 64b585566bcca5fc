import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { ModelCatalog } from '../models/types.js';
import type { DirectCalls } from '../rpc/direct-calls.js';
import { requestIdFrom, requestIdKey } from '../rpc/metadata.js';
import type { CredentialSource } from '../tls/credential-watch.js';
import { failureOf } from '../tls/handshake-failure.js';
import { type ClientAuth, contextOptions, serverOptions } from '../tls/server-options.js';
import type { HandshakeFailure } from '../tls/types.js';
import { Code, ownRefusal, sendBody } from './answers.js';
import { type HttpConnectionOptions, HttpConnections } from './connections.js';
import { Contract } from './contract.js';
import { huggingFaceRoutes } from './hugging-face-routes.js';
import { moderatorsIn } from './moderators.js';
import { isOpenInferencePath, openInferenceFailure, openInferenceRoutes } from './open-inference/routes.js';
import { openaiRoutes } from './openai-routes.js';
import { ownRoutes } from './own-routes.js';
import { acceptedCodings, type BodyLimits, discardRest, isReadable } from './request-body.js';
import { Router } from './router.js';
import { teiRoutes } from './tei-routes.js';
import type { ExchangeParts } from './unary-exchange.js';

export interface HttpTls {
  readonly credentials: CredentialSource;
  /** Holds where the credentials have authorities for clients. */
  readonly clientAuth: ClientAuth;
  readonly onFailed?: (reason: HandshakeFailure) => void;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly calls: DirectCalls;
  /** The contract as a google.protobuf.FileDescriptorSet. */
  readonly descriptorSet: Uint8Array;
  readonly about: ExchangeParts['about'];
  /** The models, for what they say of moderation. */
  readonly catalog: Pick<ModelCatalog, 'list'>;
  readonly bodies: BodyLimits;
  readonly connections: Omit<HttpConnectionOptions, 'peerOf'>;
  /** A request became no call. */
  readonly onRefused?: () => void;
  /** HTTPS. Plain HTTP without it. */
  readonly tls?: HttpTls | undefined;
}

const handshakeTimeoutMs = 10_000;
/** Time for all headers of a request, and for the first ones of a connection. */
const headersTimeoutMs = 10_000;
/** Time for the next request of a connection. */
const keepAliveTimeoutMs = 60_000;

/** What Envoy takes of headers, so that a request which passes here passes there. */
const maxHeaderBytes = 12 * 1024;
const maxHeaders = 64;

/** Time for the last answers to leave once every call has ended. */
const flushMs = 1_000;

/**
 * HTTP/1.1 for callers: JSON for the methods of the contract, without a proxy. Every request becomes a call that passes what the same
 * call over gRPC passes; this class has the connections, and refuses what is no call.
 */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  readonly #router = new Router();
  readonly #connections: HttpConnections;
  #isDraining = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    const parts = {
      calls: options.calls,
      contract: new Contract(options.descriptorSet),
      about: options.about,
      bodies: options.bodies,
      moderators: moderatorsIn(options.catalog),
    };
    for (const routes of [ownRoutes, teiRoutes, huggingFaceRoutes, openaiRoutes, openInferenceRoutes])
      routes(this.#router, parts);
    const limits = {
      headersTimeout: headersTimeoutMs,
      // Bodies are bounded by the call that reads them: a stream may go on for hours.
      requestTimeout: 0,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: maxHeaderBytes,
      // Refused below, in the form of all other refusals.
      requireHostHeader: false,
      noDelay: true,
    };
    this.#server = options.tls === undefined ? createServer(limits) : tlsServer(options.tls, limits);
    this.#connections = new HttpConnections(this.#server, {
      ...options.connections,
      peerOf: (socket) => options.calls.peerOf(socket),
    });
    this.#server.on('request', (request, response) => this.#answer(request, response));
    this.#server.on('checkContinue', (request, response) => this.#answer(request, response));
    this.#server.on('checkExpectation', (request, response) =>
      this.#refuse(request, response, 417, Code.invalidArgument, 'expect: must be 100-continue'),
    );
    // A connection that cannot be accepted, for want of descriptors in the whole system, say. `start` hears of its own failure.
    this.#server.on('error', () => {
      if (this.#server.listening) options.connections.onRefused?.('all');
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      // A connection that ends, or over which nothing has come, has refused nobody.
      const isSilent = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
      if (isSilent || error.code === 'ECONNRESET') {
        socket.destroy();
        return;
      }
      this.#options.onRefused?.();
      // An answer that has begun must not get another one into its middle.
      if (socket.writable && this.#connections.isFree(socket)) refuseUnreadable(error, socket);
      else socket.destroy();
    });
  }

  /** Connections open at this moment. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Listens.
   * @param room connections that the process has descriptors for
   * @throws the system's error if the address is not available: `EADDRINUSE`, `EACCES`
   */
  start(room: number): Promise<number> {
    this.limitConnections(room);
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: this.#options.host, port: this.#options.port }, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Changes how many connections the process has descriptors for. */
  limitConnections(room: number): void {
    this.#connections.limit(room);
  }

  /** From now on every answer ends its connection: one that stays open would be cut off just as its next request comes. */
  beginDrain(): void {
    this.#isDraining = true;
  }

  /** Listens no more and answers what has arrived; the signal cuts off what is left. */
  async close(signal: AbortSignal): Promise<void> {
    this.beginDrain();
    const closed = this.#server.listening
      ? new Promise<void>((resolve) => {
          this.#server.close(() => resolve());
        })
      : Promise.resolve();
    await this.#options.calls.drain(signal);
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#connections.close(), flushMs);
    await closed;
    clearTimeout(timer);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isDraining) response.setHeader('connection', 'close');
    if (request.rawHeaders.length > 2 * maxHeaders) {
      const message = `the headers have more than ${maxHeaderBytes} bytes, or are more than ${maxHeaders}`;
      response.setHeader('connection', 'close');
      this.#refuse(request, response, 431, Code.invalidArgument, message);
      return;
    }
    if (request.headers.host === undefined && request.httpVersion === '1.1') {
      response.setHeader('connection', 'close');
      this.#refuse(request, response, 400, Code.invalidArgument, 'host: must be set');
      return;
    }
    const found = this.#router.find(request.method ?? '', request.url ?? '');
    if (found.kind === 'no-path') {
      this.#refuse(request, response, 404, Code.notFound, 'there is no such path');
    } else if (found.kind === 'no-verb') {
      response.setHeader('allow', found.allowed.join(', '));
      const message = `this path takes ${found.allowed.join(' and ')} only`;
      this.#refuse(request, response, 405, Code.unimplemented, message);
    } else if (!isReadable(request, this.#options.bodies)) {
      const codings = acceptedCodings(this.#options.bodies);
      response.setHeader('accept-encoding', codings);
      const message = `content-encoding: must be one of ${codings}, or not set`;
      this.#refuse(request, response, 415, Code.invalidArgument, message);
    } else {
      found.run(request, response);
    }
  }

  /** Refuses a request that has become no call. @param code of google.rpc.Code */
  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    httpCode: number,
    code: number,
    message: string,
  ): void {
    this.#options.onRefused?.();
    discardRest(request);
    const body = isOpenInferencePath(request.url ?? '')
      ? openInferenceFailure(message)
      : ownRefusal(code, message);
    sendBody(response, httpCode, body, { 'x-request-id': requestIdFrom(request.headers[requestIdKey]) });
  }
}

/** What Node cannot read is no request, and has no response to answer with. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  const [line, code, message] = unreadable(error.code);
  const body = JSON.stringify(ownRefusal(code, message));
  socket.end(
    `HTTP/1.1 ${line}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function unreadable(code: string | undefined): [line: string, code: number, message: string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [
        '431 Request Header Fields Too Large',
        Code.invalidArgument,
        `the headers have more than ${maxHeaderBytes} bytes, or are more than ${maxHeaders}`,
      ];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [
        '408 Request Timeout',
        Code.deadlineExceeded,
        `the headers did not arrive in full within ${headersTimeoutMs} ms`,
      ];
    default:
      return ['400 Bad Request', Code.invalidArgument, 'this is not an HTTP/1.1 request'];
  }
}

function tlsServer({ credentials, clientAuth, onFailed }: HttpTls, limits: ServerOptions): Server {
  const server = createTlsServer({
    ...serverOptions(credentials.current, clientAuth === 'require'),
    ...limits,
    handshakeTimeout: handshakeTimeoutMs,
    ALPNProtocols: ['http/1.1'],
  });
  // With clientAuth request, OpenSSL lets a certificate pass that no authority has signed.
  server.on('secureConnection', (socket) => {
    const asks = credentials.current.clientCa !== undefined;
    if (!asks || socket.authorized || socket.getPeerX509Certificate() === undefined) return;
    socket.destroy();
    onFailed?.('bad_certificate');
  });
  server.on('tlsClientError', (error, socket) => {
    socket.destroy();
    onFailed?.(failureOf(error, socket));
  });
  credentials.onChange((changed) => server.setSecureContext(contextOptions(changed)));
  return server;
}
