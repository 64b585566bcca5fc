import type { IncomingHttpHeaders } from 'node:http2';
import { envoyTimeoutKey, requestIdKey, routingKeyKey, serviceClassKey, transcodedKey } from './metadata.js';
import { forwardedKey } from './peer.js';

/** What grpc-js reads of a request. */
const libraryKeys = [':path', ':method', 'content-type', 'grpc-encoding', 'grpc-accept-encoding'];

/** What this server reads besides. */
const ownKeys = [requestIdKey, envoyTimeoutKey, transcodedKey, serviceClassKey, routingKeyKey];

/** No valid value of these keys is longer. */
const maxValueChars = 256;
/** The addresses that proxies append are at the end. */
const maxForwardedChars = 1024;

/** `grpc-timeout` as gRPC defines it: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const timeoutPattern = /^(\d{1,8})([HMSmun])$/;
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** The longest that timers and 32 bits of milliseconds hold: 24.8 days. */
const longestTimeout = '2147483S';
const longestTimeoutMs = 2_147_483_000;

const printable = /^[ -~]*$/;
const unprintable = /[^ -~]/g;
/** Stands for a value that nobody reads. */
const present = 'present';
/** Stands for a value that nobody may take for a valid one. */
const wrong = '?';

/**
 * Reduces the heads of requests, before grpc-js sees them, to the headers that somebody reads. An open call keeps its headers, and
 * HTTP/2 makes it nearly free to send the same header again and again.
 */
export class RequestHeads {
  /** Keys that interceptors read. */
  readonly #keys: readonly string[];
  readonly #presenceKeys: readonly string[];

  /**
   * @param keys the metadata keys that interceptors read
   * @param presenceKeys those of which they read only whether they are there
   */
  constructor(keys: readonly string[], presenceKeys: readonly string[] = []) {
    this.#keys = keys.map((key) => key.toLowerCase());
    this.#presenceKeys = presenceKeys.map((key) => key.toLowerCase());
  }

  /**
   * Undefined if this is not a gRPC request, whatever its content type says.
   * @param raw names and values in turns, as they came
   */
  read(headers: IncomingHttpHeaders, raw: readonly string[]): IncomingHttpHeaders | undefined {
    if (headers[':method'] !== 'POST') return undefined;
    const head = this.#reduced(headers, raw);
    for (const key of libraryKeys) if (headers[key] !== undefined) head[key] = headers[key];
    return head;
  }

  /**
   * The same of a request that is none of gRPC's, as metadata. It says of itself that the caller speaks HTTP.
   * @param raw names and values in turns, as they came
   */
  readDirect(headers: IncomingHttpHeaders, raw: readonly string[]): Map<string, string> {
    const lowerCase = raw.map((part, at) => (at % 2 === 0 ? part.toLowerCase() : part));
    const metadata = new Map<string, string>();
    for (const [key, value] of Object.entries(this.#reduced(headers, lowerCase)))
      if (typeof value === 'string') metadata.set(key, value);
    return metadata.set(transcodedKey, present);
  }

  #reduced(headers: IncomingHttpHeaders, raw: readonly string[]): IncomingHttpHeaders {
    const head: IncomingHttpHeaders = {};
    for (const key of this.#presenceKeys) if (headers[key] !== undefined) head[key] = present;
    for (const key of this.#keys) {
      const value = headers[key];
      if (value !== undefined) head[key] = ascii(String(value));
    }
    for (const key of ownKeys) {
      const value = headers[key];
      if (value !== undefined) head[key] = readable(String(value));
    }
    // Of several, Node silently takes the first one, and a proxy before this server perhaps another.
    if (head.authorization !== undefined && countOf('authorization', raw) > 1) head.authorization = wrong;
    const forwarded = headers[forwardedKey];
    if (forwarded !== undefined) head[forwardedKey] = addresses(String(forwarded));
    const timeout = headers['grpc-timeout'];
    if (timeout !== undefined) head['grpc-timeout'] = timeoutOf(String(timeout));
    return head;
  }
}

/** grpc-js drops values that are not ASCII. An invalid value must stay invalid instead. */
function readable(value: string): string {
  if (value.length > maxValueChars) return `${copy(value.slice(0, maxValueChars))}...`;
  return ascii(value);
}

/** grpc-js drops values that are not ASCII. An invalid value must stay invalid instead. */
function ascii(value: string): string {
  return printable.test(value) ? value : wrong;
}

function countOf(key: string, raw: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < raw.length; at += 2) if (raw[at] === key) count++;
  return count;
}

/** What a caller wrote in front must not make grpc-js drop what a proxy wrote behind it: the caller would pass for the proxy. */
function addresses(value: string): string {
  const tail = value.length > maxForwardedChars ? copy(value.slice(-maxForwardedChars)) : value;
  return printable.test(tail) ? tail : tail.replaceAll(unprintable, wrong);
}

/** V8 keeps the whole string in memory for a slice of it. */
function copy(part: string): string {
  return Buffer.from(part, 'latin1').toString('latin1');
}

/** How long a reduced `grpc-timeout` gives a call, in milliseconds; undefined: it gives none. */
export function givenTimeoutMs(value: string | undefined): number | 'malformed' | undefined {
  if (value === undefined) return undefined;
  const [, count, unit = ''] = timeoutPattern.exec(value) ?? [];
  return count === undefined ? 'malformed' : Number(count) * (unitMs[unit] ?? 0);
}

/**
 * grpc-js reads part of a malformed value as if it were the whole, and wraps values that do not fit 32 bits of milliseconds. This
 * replaces a malformed value with one that grpc-js refuses.
 */
function timeoutOf(value: string): string {
  const [, count, unit = ''] = timeoutPattern.exec(value) ?? [];
  if (count === undefined) return '-';
  return Number(count) * (unitMs[unit] ?? 0) > longestTimeoutMs ? longestTimeout : value;
}
