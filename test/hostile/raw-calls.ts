import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';

export const paths = {
  classify: '/verdict.v1.ClassifierService/Classify',
  batch: '/verdict.v1.ClassifierService/BatchClassify',
  stream: '/verdict.v1.ClassifierService/ClassifyStream',
  watch: '/grpc.health.v1.Health/Watch',
  reflection: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
} as const;

/**
 * A connection that lets the server send nothing where `window` is 0.
 * @param from the address that it comes from
 * @throws Error where the server drops it
 */
export async function open(port: number, window = 65_535, from = '127.0.0.1'): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`, {
    settings: { initialWindowSize: window },
    createConnection: () => connectTcp({ port, host: '127.0.0.1', localAddress: from }),
  });
  session.on('error', () => {});
  session.setMaxListeners(0);
  await new Promise((resolve, reject) => {
    session.once('remoteSettings', resolve);
    session.once('close', () => reject(new Error('the server has dropped the connection')));
  });
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
