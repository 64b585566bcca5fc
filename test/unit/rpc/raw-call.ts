import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  connect,
  type IncomingHttpHeaders,
} from 'node:http2';

export const classifyPath = '/verdict.v1.ClassifierService/Classify';
export const streamPath = '/verdict.v1.ClassifierService/ClassifyStream';

/** One call made with bare HTTP/2, for what a gRPC client would never do. */
export class RawCall {
  readonly stream: ClientHttp2Stream;
  readonly headers: Promise<{ readonly fields: IncomingHttpHeaders; readonly endsStream: boolean }>;
  /** Resolves when the stream has ended, with the trailers, or the only headers where they ended it. */
  readonly trailers: Promise<IncomingHttpHeaders>;

  constructor(
    session: ClientHttp2Session,
    path: string,
    fields: Record<string, string> = {},
    options: ClientSessionRequestOptions = {},
  ) {
    const head = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
    this.stream = session.request({ ...head, ...fields }, options);
    this.stream.on('error', () => {});
    let last: IncomingHttpHeaders = {};
    this.headers = new Promise((resolve) => {
      this.stream.once('response', (received, flags) => {
        last = received;
        // Bit 0 of the flags of a HEADERS frame is END_STREAM.
        resolve({ fields: received, endsStream: (flags & 1) === 1 });
      });
    });
    this.trailers = new Promise((resolve) => {
      this.stream.once('trailers', (received) => {
        last = received;
      });
      this.stream.once('close', () => resolve(last));
      // A stream of Node.js that is reset without an error while a write is under way never closes.
      this.stream.once('aborted', () => resolve(last));
    });
  }

  /** Runs the body with a session that is closed in any case. */
  static async run(port: number, body: (session: ClientHttp2Session) => Promise<void>): Promise<void> {
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
    try {
      await body(session);
    } finally {
      session.destroy();
    }
  }
}
