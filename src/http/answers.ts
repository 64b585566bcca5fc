import type { ServerResponse } from 'node:http';
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';

/** Codes of google.rpc.Code that answers made here have. */
export const Code = { invalidArgument: 3, deadlineExceeded: 4, notFound: 5, unimplemented: 12 } as const;

/** HTTP's codes by those of google.rpc.Code, as Envoy maps them. */
const httpCodes: Readonly<Record<number, number>> = {
  0: 200,
  1: 499,
  2: 500,
  3: 400,
  4: 504,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 400,
  10: 409,
  11: 400,
  12: 501,
  13: 500,
  14: 503,
  15: 500,
  16: 401,
};

/** @param code of google.rpc.Code */
export function httpCodeOf(code: number): number {
  return httpCodes[code] ?? 500;
}

/** The reason in the ErrorInfo of a google.rpc.Status, which is its first detail where there are any. */
export function reasonIn({ details }: JsonObject): string | undefined {
  const [info] = Array.isArray(details) ? details : [];
  const reason = typeof info === 'object' && info !== null && !Array.isArray(info) ? info.reason : undefined;
  return typeof reason === 'string' ? reason : undefined;
}

/** The message of a google.rpc.Status. */
export function messageIn({ message }: JsonObject): string {
  return typeof message === 'string' ? message : '';
}

/** The headers that tell the caller of a refusal what to do: wait, or say who it is. */
export function refusalHeaders(httpCode: number, retryAfterMs: number | undefined): Record<string, string> {
  return {
    ...(retryAfterMs === undefined
      ? {}
      : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
    ...(httpCode === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  };
}

/** A refusal by the port itself, in the form of a google.rpc.Status. @param code of google.rpc.Code */
export function ownRefusal(code: number, message: string): JsonValue {
  return { code, message, details: [] };
}

/**
 * Answers, once. Node leaves out the body of an answer to HEAD by itself.
 * @param body JSON, or bytes of a type that the headers tell
 */
export function sendBody(
  response: ServerResponse,
  httpCode: number,
  body: JsonValue | Buffer,
  headers: Readonly<Record<string, string>>,
  onWritten?: () => void,
): void {
  const content = Buffer.isBuffer(body) ? body : JSON.stringify(body);
  response
    .writeHead(httpCode, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(content),
      ...headers,
    })
    .end(content, onWritten);
}
