import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repositoryRoot } from './repository.js';
import { until } from './until.js';

const folder = join(repositoryRoot, 'test/fixtures/peers');

/** What the peer saw of one text, or its port. */
export type PeerLine = Readonly<Record<string, unknown>>;

/** A server that speaks what the bench's peers speak, with codecs of its own: Python's. */
export class PeerServer {
  readonly #child: ChildProcess;
  readonly #lines: PeerLine[] = [];
  #port = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param python has the gRPC packages */
  static async start(python: string): Promise<PeerServer> {
    const child = spawn(python, [join(folder, 'peer_server.py'), folder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const server = new PeerServer(child);
    const lines = createInterface({ input: child.stdout });
    const first = once(lines, 'line');
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the peer ended with ${code}`);
    });
    ended.catch(() => {});
    const [line] = await Promise.race([first, ended]);
    server.#port = JSON.parse(line).port;
    lines.on('line', (text) => server.#lines.push(JSON.parse(text)));
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** What it saw since it was asked last, once it has told of so many texts: its answers overtake its output. */
  async seen(count: number): Promise<readonly PeerLine[]> {
    await until(`the peer has told of ${count} texts`, () => this.#lines.length >= count);
    return this.#lines.splice(0);
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }
}
