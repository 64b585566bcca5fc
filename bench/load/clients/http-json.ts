import { Agent, type IncomingMessage, request } from 'node:http';

const OK = 200;

/** Posts JSON over connections that are kept: one per request under way, made once. */
export class HttpJson {
  readonly #agent: Agent;
  readonly #host: string;
  readonly #port: string;

  constructor({ address, maxInFlight }: { readonly address: string; readonly maxInFlight: number }) {
    const { hostname, port } = new URL(`http://${address}`);
    this.#host = hostname;
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: maxInFlight, maxFreeSockets: maxInFlight });
  }

  /** The decoded body of the answer. @throws Error for any status but 200 */
  post(path: string, body: unknown): Promise<unknown> {
    const bytes = Buffer.from(JSON.stringify(body));
    const headers = { 'content-type': 'application/json', 'content-length': bytes.length };
    const options = { agent: this.#agent, host: this.#host, port: this.#port, method: 'POST', path, headers };
    return new Promise((resolve, reject) => {
      const call = request(options, (response) => {
        readJson(response).then((answer) => {
          if (response.statusCode === OK) resolve(answer);
          else reject(new Error(`POST ${path} was answered ${response.statusCode}`));
        }, reject);
      });
      call.on('error', reject);
      call.end(bytes);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return response.statusCode === OK ? JSON.parse(text) : text;
}
