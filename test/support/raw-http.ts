import { connect, type Socket } from 'node:net';
import { until } from './until.js';

/** A connection that says whatever a test wants it to, as HTTP or not. */
export class RawHttp {
  readonly socket: Socket;
  #received = '';
  #hasEnded = false;

  /** @param url of the server */
  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ host: hostname, port: Number(port) });
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
    });
    this.socket.on('error', () => {});
    this.socket.once('close', () => {
      this.#hasEnded = true;
    });
  }

  /** All that has come. */
  get received(): string {
    return this.#received;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** The first status of an answer, once it is there. */
  async status(): Promise<number> {
    const line = () => /HTTP\/1\.1 (\d{3}) /.exec(this.#received)?.[1];
    await until('a status has come', () => line() !== undefined, 30_000);
    return Number(line());
  }

  ended(): Promise<void> {
    return until('the server has closed the connection', () => this.#hasEnded, 30_000);
  }

  close(): void {
    this.socket.destroy();
  }
}

/** The head of a POST. */
export function postHead(path: string, headers: Readonly<Record<string, string | number>> = {}): string {
  const fields = Object.entries({ host: 'verdict', ...headers }).map(
    ([key, value]) => `${key}: ${value}\r\n`,
  );
  return `POST ${path} HTTP/1.1\r\n${fields.join('')}\r\n`;
}
