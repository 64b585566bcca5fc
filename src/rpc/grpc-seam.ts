import type { Http2Server, ServerHttp2Stream } from 'node:http2';
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
  if (http2ServersOf(server).length === 0) missing.push('http2Servers');
  if (missing.length > 0) {
    throw new Error(`this release of @grpc/grpc-js is built differently: it lacks ${missing.join(', ')}`);
  }
}
