import { constants, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { createRequire } from 'node:module';
import type { Server, ServerInterceptingCallInterface } from '@grpc/grpc-js';

/** What a call object of grpc-js keeps to itself, as far as calls are taken over here. */
interface CallParts {
  readonly stream: ServerHttp2Stream;
  /** `grpc-encoding`, `identity` where there was none. */
  readonly incomingEncoding: string;
}

/** The one place that knows which private parts of grpc-js are used; `verifySeam` checks them at the start. */
export function partsOf(call: ServerInterceptingCallInterface): CallParts {
  return call as unknown as CallParts;
}

/** The HTTP/2 servers below a grpc-js server: the one of the connection injector. */
export function http2ServersOf(server: Server): Http2Server[] {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  return servers instanceof Map ? [...servers.keys()] : [];
}

type StreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  raw: string[],
) => void;

/**
 * Lets grpc-js see the heads of requests only as `read` gives them. Requests that are none of gRPC's are answered here.
 * @param read undefined: it is none
 */
export function filterHeads(
  http2: Http2Server,
  read: (headers: IncomingHttpHeaders, raw: readonly string[]) => IncomingHttpHeaders | undefined,
): void {
  const listeners = http2.listeners('stream') as StreamListener[];
  http2.removeAllListeners('stream');
  const onStream: StreamListener = (stream, headers, flags, raw) => {
    // Reset in the same read that brought its head: Node tells of it all the same, and to answer it throws.
    if (stream.destroyed || stream.closed) {
      stream.on('error', () => {});
      stream.destroy();
      return;
    }
    const head = read(headers, raw);
    if (head === undefined) refuseMethod(stream);
    else for (const listener of listeners) listener.call(http2, stream, head, flags, raw);
  };
  http2.on('stream', onStream);
}

function refuseMethod(stream: ServerHttp2Stream): void {
  // The caller may be gone: then there is nobody to tell.
  stream.on('error', () => {});
  stream.respond({ ':status': 405, allow: 'POST' }, { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
}

/**
 * Checks that grpc-js keeps a call's stream and encoding where they are looked for, and reads messages from its `data`
 * events alone, which `InboundMessages` keeps from happening.
 * @param server one with a connection injector
 * @throws Error where it does not: the server must not start, since what callers make it hold would have no bounds
 */
export function verifySeam(server: Server): void {
  const { BaseServerInterceptingCall: base } = createRequire(import.meta.url)(
    '@grpc/grpc-js/build/src/server-interceptors.js',
  );
  const source = typeof base === 'function' ? String(base) : '';
  const expected = [
    'this.stream = stream',
    "this.stream.on('data'",
    'this.incomingEncoding = encodingHeader[0]',
  ];
  const missing = expected.filter((part) => !source.includes(part));
  const servers = http2ServersOf(server);
  if (servers.length === 0) missing.push('http2Servers');
  if (servers.some((http2) => http2.listenerCount('stream') !== 1)) missing.push("one listener of 'stream'");
  if (missing.length > 0) {
    throw new Error(`this release of @grpc/grpc-js is built differently: it lacks ${missing.join(', ')}`);
  }
}
