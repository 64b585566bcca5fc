import { type HttpAnswer, httpCall } from './envoy-service.js';
import type { JsonValue } from './json-value.js';
import { Service } from './service.js';

/** The real server, called over its own HTTP port. */
export class HttpService {
  readonly service: Service;

  private constructor(service: Service) {
    this.service = service;
  }

  /** As `Service.start`. */
  static async start(
    models: readonly [string, ...string[]],
    settings: Readonly<Record<string, string>> = {},
  ): Promise<HttpService> {
    return new HttpService(await Service.start(models, settings));
  }

  /** `http://127.0.0.1:<port>`. */
  get url(): string {
    return this.service.server.httpUrl;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return httpCall(`${this.url}${path}`, { headers });
  }

  /** POSTs the body, as JSON unless it is a text. */
  post(path: string, body: JsonValue, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return httpCall(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  /** POSTs bytes as they are. */
  postBytes(path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return httpCall(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: new Uint8Array(body),
    });
  }

  stop(): Promise<void> {
    return this.service.stop();
  }
}
