import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server that answers as the test wants it: registries are not to be trusted. */
export class HostileRegistry {
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[] = [];
  readonly #server;

  private constructor(answer: Answer) {
    this.#server = createServer((request, response) => {
      const { url: path = '', headers } = request;
      this.requests.push({ path, authorization: headers.authorization });
      answer(request, response);
    });
  }

  /** One that ends with the test. */
  static async start(t: { after(step: () => unknown): unknown }, answer: Answer): Promise<HostileRegistry> {
    const registry = new HostileRegistry(answer);
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      registry.#server.closeAllConnections();
      registry.#server.close();
    });
    return registry;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
}

/** A body without an end, at the pace at which it is read. */
export function sendForEver(response: ServerResponse, start: string): void {
  const filler = ' '.repeat(65_536);
  const more = (): void => {
    while (!response.destroyed && response.write(filler));
    if (!response.destroyed) response.once('drain', more);
  };
  response.write(start);
  more();
}
