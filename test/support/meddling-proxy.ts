import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the proxy does to the next answers whose request has this in its path. */
export interface Meddling {
  readonly path: string;
  /** How many answers. */
  times: number;
  /** Sends so many bytes of the body, and nothing more; the connection stays open. */
  readonly holdAfter?: number;
  /** Sends so many bytes of the body, and cuts the connection. */
  readonly cutAfter?: number;
  /** Changes the last byte of the body. */
  readonly spoils?: boolean;
}

/** An HTTP proxy in front of a registry, which records what is asked for. Hosts in requests stay as clients have signed them. */
export class MeddlingProxy {
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly range: string | undefined;
  }[] = [];
  readonly meddlings: Meddling[] = [];
  readonly #upstream: string;
  readonly #server = createServer((request, response) => this.#pass(request, response));

  private constructor(upstream: string) {
    this.#upstream = upstream;
  }

  /** @param upstream the address of the registry */
  static async start(upstream: string): Promise<MeddlingProxy> {
    const proxy = new MeddlingProxy(upstream);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many bytes of a path's content were asked for, where all requests say from where. @param bytes of the whole */
  bytesAsked(path: string, bytes: number): number {
    const ranges = this.requests.filter(
      ({ path: asked, method }) => asked.includes(path) && method === 'GET',
    );
    return ranges.reduce(
      (sum, { range }) => sum + bytes - Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0),
      0,
    );
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(incoming: IncomingMessage, response: ServerResponse): void {
    const { method = '', url: path = '', headers } = incoming;
    this.requests.push({ method, path, range: headers.range });
    const meddling = method === 'GET' ? this.#meddlingFor(path) : undefined;
    const passed = request(new URL(path, this.#upstream), { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      if (meddling === undefined) answer.pipe(response);
      // Whoever asked may have left.
      else meddle(answer, response, meddling).catch(() => response.destroy());
    });
    passed.on('error', () => response.destroy());
    response.on('close', () => passed.destroy());
    incoming.pipe(passed);
  }

  #meddlingFor(path: string): Meddling | undefined {
    const meddling = this.meddlings.find((one) => path.includes(one.path) && one.times > 0);
    if (meddling !== undefined) meddling.times -= 1;
    return meddling;
  }
}

async function meddle(answer: IncomingMessage, response: ServerResponse, how: Meddling): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { holdAfter, cutAfter, spoils } = how;
  if (spoils === true) {
    body[body.length - 1] = (body.at(-1) ?? 0) ^ 1;
    response.end(body);
    return;
  }
  response.write(body.subarray(0, holdAfter ?? cutAfter), () => {
    if (cutAfter !== undefined) setImmediate(() => response.destroy());
  });
}
