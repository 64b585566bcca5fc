import type { Server } from '@grpc/grpc-js';
import { bareCodecs, type MessageType } from './codec.js';
import type { CallHandler, Route } from './route.js';
import { unimplemented } from './status.js';

/** Leaves the bytes as they are. */
const bytes: MessageType<unknown> = {
  decode: (message) => message,
  encode: () => ({ finish: () => new Uint8Array() }),
};

/** Nothing is left to do: the call has been ended before its first message. */
const ended: CallHandler<unknown> = {
  onMessage() {},
  onHalfClose() {},
  onDrain() {},
};

/** What calls of methods that do not exist are answered and counted as. Their names are the caller's: not kept. */
export const unknownMethod: Route<unknown, unknown> = {
  service: 'unknown',
  method: 'unknown',
  shape: 'bidi',
  requestType: bytes,
  responseType: bytes,
  maxRequestBytes: 0,
  open: (call) => {
    call.end(unimplemented({ message: 'no such method', reason: 'UNKNOWN_METHOD' }));
    return ended;
  },
};

/**
 * Has grpc-js treat methods that nobody registered like one that was. It has no public way to ask for that, and
 * answers such calls itself, past every interceptor: they would be missing from metrics and log. A later grpc-js
 * that keeps its handlers elsewhere gets that behaviour back; a test notices.
 */
export function useForUnknownMethods(server: Server, func: () => never): void {
  const handlers: unknown = Reflect.get(server, 'handlers');
  if (!(handlers instanceof Map)) return;
  const registered = handlers.get.bind(handlers);
  const fallback = { ...bareCodecs, func, type: unknownMethod.shape, path: '' };
  handlers.get = (path: unknown): unknown => registered(path) ?? fallback;
}
