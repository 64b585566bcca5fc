import { once } from 'node:events';
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

/** A gRPC server that keeps the headers it was sent, and ends every call with the status it is told to. */
export class UpstreamRecorder {
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  /** The headers of every call, health checks left out. */
  readonly calls: IncomingHttpHeaders[] = [];
  /** What calls are answered with: the fields of one HEADERS frame. */
  answer: Record<string, string> = { 'grpc-status': '0' };
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();

  private constructor(server: Http2Server) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('session', (session) => this.#sessions.add(session));
    server.on('stream', (stream, headers) => {
      if (headers[':path']?.startsWith('/grpc.health.')) {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        // HealthCheckResponse { status: SERVING }
        stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
        return;
      }
      this.calls.push(headers);
      stream.on('error', () => {});
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', ...this.answer },
        { endStream: true },
      );
    });
  }

  static async start(): Promise<UpstreamRecorder> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new UpstreamRecorder(server);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const session of this.#sessions) session.destroy();
    await closed;
  }
}
