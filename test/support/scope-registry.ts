import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);

const MAX_BODY_BYTES = 512 * 2 ** 20;
const PUBLISH_TIMEOUT_MS = 120_000;

interface Packument {
  readonly name: string;
  readonly versions: Record<string, { dist: Record<string, unknown> }>;
  readonly 'dist-tags': Record<string, string>;
}

/** What `npm publish` sends. */
interface Publication extends Packument {
  readonly _attachments: Record<string, { readonly data: string }>;
}

/** A registry for one scope, which takes what `npm publish` sends and gives what `npm install` asks for. */
export class ScopeRegistry {
  /** The lines of an .npmrc that let npm publish here and install from here. */
  readonly npmrc: string;
  readonly #url: string;
  readonly #server: Server;
  readonly #packages = new Map<string, Packument>();
  readonly #tarballs = new Map<string, Buffer>();

  private constructor(server: Server, scope: string) {
    const { port } = server.address() as AddressInfo;
    this.#server = server;
    this.#url = `http://127.0.0.1:${port}`;
    this.npmrc = `${scope}:registry=${this.#url}/\n//127.0.0.1:${port}/:_authToken=anybody\n`;
    server.on('request', (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(JSON.stringify({ error: String(error) }));
      });
    });
  }

  static async start(scope: string): Promise<ScopeRegistry> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ScopeRegistry(server, scope);
  }

  /** Publishes the package in a folder, by npm itself. */
  async publish(folder: string, npmrcFile: string): Promise<void> {
    await run('npm', ['publish', `--userconfig=${npmrcFile}`, folder], {
      timeout: PUBLISH_TIMEOUT_MS,
      maxBuffer: MAX_BODY_BYTES,
    });
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(request.url ?? '/').slice(1);
    if (request.method === 'PUT') {
      this.#take(JSON.parse((await bodyOf(request)).toString()));
      response.writeHead(201).end('{}');
      return;
    }
    const found = this.#tarballs.get(path) ?? this.#packument(path);
    if (found === undefined) response.writeHead(404).end('{}');
    else response.end(found);
  }

  #packument(name: string): string | undefined {
    const found = this.#packages.get(name);
    return found === undefined ? undefined : JSON.stringify(found);
  }

  #take(publication: Publication): void {
    const { name, versions, _attachments: attachments } = publication;
    const tarball = Buffer.from(Object.values(attachments)[0]?.data ?? '', 'base64');
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
    for (const [version, manifest] of Object.entries(versions)) {
      const path = `${name}/-/${version}.tgz`;
      this.#tarballs.set(path, tarball);
      manifest.dist = { tarball: `${this.#url}/${path}`, integrity };
    }
    this.#packages.set(name, { name, versions, 'dist-tags': publication['dist-tags'] });
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`a package may have at most ${MAX_BODY_BYTES} bytes`);
  }
  return Buffer.concat(chunks);
}
