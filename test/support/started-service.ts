import type { TestContext } from 'node:test';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { Service } from './service.js';

/** A server with the model `topics`, which the end of the test stops. @param settings environment variables */
export async function startService(t: TestContext, settings: Record<string, string>): Promise<Service> {
  const service = await Service.start(['topics'], settings);
  t.after(() => service.stop());
  return service;
}

/** A connection of its own, which the end of the test closes. @param credential an API key or a token */
export function clientOf(t: TestContext, { server }: Service, credential?: string): VerdictClient {
  const client = new VerdictClient({ address: server.address, apiKey: credential, retry: false });
  t.after(() => client.close());
  return client;
}
