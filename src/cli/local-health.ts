import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';
import type { Config } from '../config.js';

/**
 * Asks the server that runs with these settings on this machine whether it is ready, on its admin port: unlike the gRPC port it asks
 * for no client certificate there. The server's own certificate is not checked: it need not name the loopback interface, over
 * which nobody listens in.
 * @throws the system's error where it does not answer
 */
export function localHealth({ admin, tls }: Config, timeoutMs: number): Promise<'serving' | 'not_serving'> {
  const isSecure = tls.cert !== undefined && admin.tls === 'on';
  const place = { host: reachable(admin.host), port: admin.port, path: '/readyz', agent: false };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = isSecure
      ? getSecure({ ...place, signal, rejectUnauthorized: false })
      : getPlain({ ...place, signal });
    request.once('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? 'serving' : 'not_serving');
    });
    request.once('error', (error) =>
      reject(signal.aborted ? new Error(`no answer in ${timeoutMs} ms`) : error),
    );
  });
}

/** An address that means every interface is none to connect to. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
