import type { IncomingMessage, ServerResponse } from 'node:http';
import findMyWay from 'find-my-way';

/** A request that a route answers. */
export interface Incoming {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What stands in the path where the template has names, decoded. */
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
}

export type Handler = (incoming: Incoming) => void;

export type Verb = 'GET' | 'POST';

/** What there is for a request: its handler, or why there is none. */
export type Found =
  | { readonly kind: 'handler'; readonly run: (request: IncomingMessage, response: ServerResponse) => void }
  | { readonly kind: 'no-path' }
  /** @param allowed the verbs that the path has */
  | { readonly kind: 'no-verb'; readonly allowed: readonly string[] };

const verbs: readonly Verb[] = ['GET', 'POST'];

/** Longer than any name in a path. */
const maxParamChars = 1024;

/** Handlers by verb and path. */
export class Router {
  readonly #routes = findMyWay({ maxParamLength: maxParamChars });
  readonly #handlers = new Map<unknown, Handler>();

  /** @param template as `google.api.http` writes it: `/v1/models/{model}:classify` */
  on(verb: Verb, template: string, handler: Handler): void {
    // A name ends where the next part begins, with a slash or a colon.
    const path = template.replaceAll(':', '::').replaceAll(/\{(\w+)\}/g, ':$1([^/:]+)');
    const key = (): void => {};
    this.#handlers.set(key, handler);
    this.#routes.on(verb, path, key);
  }

  /** @param url of a request, query and all */
  find(method: string, url: string): Found {
    // Node itself leaves out the body of an answer to HEAD.
    const verb = method === 'HEAD' ? 'GET' : method;
    const found = this.#find(verb, url);
    if (found !== undefined) return found;
    const allowed = verbs.filter((one) => this.#find(one, url) !== undefined);
    if (allowed.length === 0) return { kind: 'no-path' };
    return { kind: 'no-verb', allowed: allowed.flatMap((one) => (one === 'GET' ? ['GET', 'HEAD'] : [one])) };
  }

  #find(verb: string, url: string): Extract<Found, { kind: 'handler' }> | undefined {
    const known = verbs.find((one) => one === verb);
    const found = known === undefined ? null : this.#routes.find(known, url);
    const handler = found === null ? undefined : this.#handlers.get(found.handler);
    if (found === null || handler === undefined) return undefined;
    const { params } = found;
    const at = url.indexOf('?');
    return {
      kind: 'handler',
      run: (request, response) =>
        handler({ request, response, params, query: new URLSearchParams(at < 0 ? '' : url.slice(at)) }),
    };
  }
}
