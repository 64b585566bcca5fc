import type { IncomingMessage } from 'node:http';

/** One answer of the admin server. */
export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  /** Further headers. Without a `cache-control` the answer must not be cached. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Pages by their paths. `accept`: that header of the request. */
export type Pages = Readonly<Record<string, (accept: string) => Page | Promise<Page>>>;

/** The headers of a request, each with all its values. */
export type AllHeaders = IncomingMessage['headersDistinct'];

/** By the paths of pages: what a request with these headers is answered instead of the page; undefined: the page. */
export type Guards = Readonly<
  Record<string, (headers: AllHeaders) => Page | undefined | Promise<Page | undefined>>
>;
