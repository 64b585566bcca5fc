import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the Hub answers in place of the next requests of one kind. */
export interface HubFault {
  /** Part of the path of the requests that it befalls. */
  readonly path: string;
  /** How many of them. Default: all. */
  times?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Cuts the connection after so many bytes of the body. */
  readonly cutAfter?: number;
  /** Keeps the connection that `cutAfter` would cut. */
  readonly holds?: boolean;
  /** Sends nothing at all, and keeps the connection. */
  readonly silent?: boolean;
  /** Sends this content in place of the file's. */
  readonly content?: Buffer;
  /** Ignores a range. */
  readonly whole?: boolean;
}

export interface HubContent {
  readonly bytes: Buffer;
  /** How the repository keeps it: in Git, or as LFS or Xet, which are served from another host. */
  readonly kept: 'git' | 'lfs' | 'xet';
}

const COMMIT = '5f3c9cdb3aa9f1b0c5a1e6f6b1d2f3a4c5d6e7f8';

/**
 * A server that speaks as the Hugging Face Hub does, on two ports, as the Hub keeps large files on another host. Paths, headers and
 * status codes follow https://huggingface.co/docs/hub/api and the requests of @huggingface/hub.
 */
export class HubServer {
  readonly requests: {
    method: string;
    path: string;
    host: 'hub' | 'storage';
    authorization?: string;
    range?: string;
  }[] = [];
  readonly faults: HubFault[] = [];
  readonly #repos = new Map<string, ReadonlyMap<string, HubContent>>();
  readonly #hub = createServer((request, response) => this.#answer('hub', request, response));
  readonly #storage = createServer((request, response) => this.#answer('storage', request, response));
  #pageSize = 1000;

  static readonly commit = COMMIT;

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    for (const part of [server.#hub, server.#storage]) {
      await new Promise<void>((resolve) => part.listen(0, '127.0.0.1', resolve));
    }
    return server;
  }

  get endpoint(): string {
    return addressOf(this.#hub);
  }

  add(repo: string, files: Readonly<Record<string, HubContent>>, pageSize = 1000): void {
    this.#repos.set(repo, new Map(Object.entries(files)));
    this.#pageSize = pageSize;
  }

  async stop(): Promise<void> {
    for (const part of [this.#hub, this.#storage]) {
      part.closeAllConnections();
      await new Promise((resolve) => part.close(resolve));
    }
  }

  #answer(host: 'hub' | 'storage', request: IncomingMessage, response: ServerResponse): void {
    const { url: path = '', method = '', headers } = request;
    const { authorization, range } = headers;
    this.requests.push({
      method,
      path,
      host,
      ...(authorization && { authorization }),
      ...(range && { range }),
    });
    const fault = this.#faultFor(`${host}${path}`, range);
    if (fault?.silent) return;
    if (fault?.status !== undefined) {
      response.writeHead(fault.status, fault.headers).end(JSON.stringify({ error: 'as the test wants it' }));
      return;
    }
    const url = new URL(path, this.endpoint);
    if (host === 'storage') {
      const [repo, ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent);
      this.#send(this.#repos.get(repo ?? '')?.get(rest.join('/'))?.bytes, request, response, fault);
      return;
    }
    const api = /^\/api\/models\/(.+?)\/(revision|tree)\/([^/]+)$/.exec(url.pathname);
    const resolved = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    if (api !== null) this.#api(api, url, response);
    else if (resolved !== null) this.#resolve(resolved, request, response, fault);
    else refuse(response, 404, 'RepoNotFound');
  }

  #faultFor(path: string, range: string | undefined): HubFault | undefined {
    const fault = this.faults.find(
      (candidate) =>
        path.includes(candidate.path) &&
        candidate.times !== 0 &&
        // The library asks for one byte to learn the size: that is too short to be cut.
        (candidate.cutAfter === undefined || range !== 'bytes=0-0'),
    );
    if (fault?.times !== undefined) fault.times--;
    return fault;
  }

  #api([, repo = '', kind, revision = '']: RegExpExecArray, url: URL, response: ServerResponse): void {
    const files = this.#repos.get(repo);
    // The Hub does not tell strangers which repositories are private.
    if (files === undefined) {
      refuse(response, 401, 'RepoNotFound');
      return;
    }
    if (!['main', 'HEAD', COMMIT].includes(decodeURIComponent(revision))) {
      refuse(response, 404, 'RevisionNotFound');
      return;
    }
    if (kind === 'revision') {
      json(response, { _id: '1', id: repo, sha: COMMIT, lastModified: '2024-01-01' });
      return;
    }
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const page = [...files]
      .slice(from, from + this.#pageSize)
      .map(([path, content]) => entryOf(path, content));
    const next = from + this.#pageSize;
    const link = `<${this.endpoint}${url.pathname}?recursive=true&cursor=${next}>; rel="next"`;
    json(response, page, next < files.size ? { link } : {});
  }

  #resolve(
    [, repo = '', , path = '']: RegExpExecArray,
    request: IncomingMessage,
    response: ServerResponse,
    fault: HubFault | undefined,
  ): void {
    const content = this.#repos.get(repo)?.get(decodeURIComponent(path));
    if (content === undefined) {
      refuse(response, 404, 'EntryNotFound');
      return;
    }
    const { bytes, kept } = content;
    if (kept === 'git') {
      this.#send(bytes, request, response, fault);
      return;
    }
    const headers = {
      'x-repo-commit': COMMIT,
      'x-linked-size': String(bytes.length),
      'x-linked-etag': `"${sha256(bytes)}"`,
    };
    if (kept === 'xet' && request.headers.accept?.includes('application/vnd.xet-fileinfo+json')) {
      const hash = sha256(bytes);
      const link =
        `<${this.endpoint}/api/models/${repo}/xet-read-token/${COMMIT}>; rel="xet-auth", ` +
        `<${addressOf(this.#storage)}/v1/reconstructions/${hash}>; rel="xet-reconstruction-info"`;
      json(
        response,
        { hash },
        { ...headers, 'x-xet-hash': hash, link, 'content-type': 'application/vnd.xet-fileinfo+json' },
      );
      return;
    }
    const location = `${addressOf(this.#storage)}/${encodeURIComponent(repo)}/${path}?X-Amz-Signature=abc`;
    response.writeHead(302, { ...headers, location }).end();
  }

  #send(
    bytes: Buffer | undefined,
    request: IncomingMessage,
    response: ServerResponse,
    fault: HubFault | undefined,
  ): void {
    if (bytes === undefined) {
      refuse(response, 404, 'EntryNotFound');
      return;
    }
    const content = fault?.content ?? bytes;
    const range = fault?.whole ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const from = Number(range?.[1] ?? 0);
    const to = range?.[2] ? Math.min(Number(range[2]), content.length - 1) : content.length - 1;
    const body = content.subarray(from, to + 1);
    const headers = {
      etag: `"${gitDigest(bytes)}"`,
      'content-length': body.length,
      'content-type': 'text/plain',
    };
    if (range === null) response.writeHead(200, headers);
    else response.writeHead(206, { ...headers, 'content-range': `bytes ${from}-${to}/${content.length}` });
    if (fault?.cutAfter === undefined || fault.cutAfter >= body.length) response.end(body);
    else {
      response.write(body.subarray(0, fault.cutAfter), () => {
        if (fault.holds !== true) setImmediate(() => response.destroy());
      });
    }
  }
}

function entryOf(path: string, { bytes, kept }: HubContent): object {
  const pointer = { type: 'file', path, size: bytes.length, oid: gitDigest(bytes) };
  if (kept === 'git') return pointer;
  const lfs = { oid: sha256(bytes), size: bytes.length, pointerSize: 134 };
  return { ...pointer, oid: 'f'.repeat(40), lfs, ...(kept === 'xet' && { xetHash: sha256(bytes) }) };
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

export const gitDigest = (bytes: Buffer) =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

function json(
  response: ServerResponse,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'x-error-code': code, 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: code }));
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
