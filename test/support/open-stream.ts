import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { at, type JsonValue } from './json-value.js';
import { until } from './until.js';

/** A JSON stream over HTTP/2 that stays open: what is sent goes through at once, and so does what is answered. */
export class OpenStream {
  /** The messages so far. */
  readonly messages: JsonValue[] = [];
  /** Resolves when the answer has ended. */
  readonly ended: Promise<unknown>;
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  #sent = 0;
  #rest = '';

  constructor(url: string) {
    this.#session = connect(url);
    this.#stream = this.#session.request({
      ':method': 'POST',
      ':path': '/v1:classifyStream',
      accept: 'application/x-ndjson',
    });
    this.#stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.messages.push(JSON.parse(line));
    });
    this.ended = once(this.#stream, 'end');
  }

  /** Sends one request, after so many bytes of white space, and waits for one more answer. */
  async ask(id: string, text: string, padding = 0): Promise<void> {
    const before = this.messages.length;
    this.#stream.write(' '.repeat(padding));
    this.#stream.write(`${this.#sent++ === 0 ? '[' : ','}${JSON.stringify({ id, text })}`);
    await until('the next answer is there', () => this.messages.length > before);
  }

  /** The code in the `end` message; null without one. */
  get endCode(): JsonValue {
    return at(this.messages.at(-1) ?? null, 'end', 'status', 'code');
  }

  /** Ends the request. */
  end(): void {
    this.#stream.end(']');
  }

  close(): void {
    this.#session.destroy();
  }
}
