import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';

export const paths = {
  classify: '/verdict.v1.ClassifierService/Classify',
  batch: '/verdict.v1.ClassifierService/BatchClassify',
  stream: '/verdict.v1.ClassifierService/ClassifyStream',
  watch: '/grpc.health.v1.Health/Watch',
  reflection: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
} as const;

/** A gRPC frame; `length` may promise more than comes. */
export function frame(message: Uint8Array, { compressed = false, length = message.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed ? 1 : 0;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** A frame of HTTP/2 itself. */
export function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** What an HTTP/2 client begins with. */
export const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  http2Frame(4, 0, 0, Buffer.alloc(0)),
]);

/** A connection that lets the server send nothing where `window` is 0. */
export async function open(port: number, window = 65_535): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: window } });
  session.on('error', () => {});
  session.setMaxListeners(0);
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  return session;
}

export function call(session: ClientHttp2Session, path: string, fields = {}): ClientHttp2Stream {
  const stream = session.request(
    { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...fields },
    { endStream: false },
  );
  stream.on('error', () => {});
  return stream;
}

/** The gRPC code that a call ends with; undefined where the stream ends without one. */
export function codeOf(stream: ClientHttp2Stream): Promise<number | undefined> {
  return new Promise((resolve) => {
    let code: number | undefined;
    const read = (fields: { readonly 'grpc-status'?: unknown }) => {
      if (fields['grpc-status'] !== undefined) code = Number(fields['grpc-status']);
    };
    stream.on('response', read);
    stream.on('trailers', read);
    stream.once('close', () => resolve(code));
    stream.resume();
  });
}
