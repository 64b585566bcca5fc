import { EnvoyProcess } from './envoy-process.js';
import type { JsonValue } from './json-value.js';
import { Service } from './service.js';

/** What an HTTP call was answered with. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, where it says that it is JSON. */
  readonly json: JsonValue;
}

/** The real server with a real Envoy in front of it. */
export class EnvoyService {
  readonly service: Service;
  readonly envoy: EnvoyProcess;

  private constructor(service: Service, envoy: EnvoyProcess) {
    this.service = service;
    this.envoy = envoy;
  }

  /** As `Service.start`. @param change of Envoy's configuration */
  static async start(
    models: readonly [string, ...string[]],
    settings: Readonly<Record<string, string>> = {},
    change: (configuration: string) => string = (configuration) => configuration,
  ): Promise<EnvoyService> {
    const service = await Service.start(models, settings);
    try {
      return new EnvoyService(service, await EnvoyProcess.startWith(change, [service.server.address]));
    } catch (error) {
      await service.stop();
      throw error;
    }
  }

  get(path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return httpCall(`${this.envoy.url}${path}`, { headers });
  }

  /** POSTs the body, as JSON unless it is a text. */
  post(path: string, body: JsonValue, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return httpCall(`${this.envoy.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  async stop(): Promise<void> {
    await this.envoy.stop();
    await this.service.stop();
  }
}

/** One HTTP call, read to its end. */
export async function httpCall(url: string, init: RequestInit): Promise<HttpAnswer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : null,
  };
}
