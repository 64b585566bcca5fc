import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';

/**
 * The text of `deploy/envoy/envoy.yaml` with free ports in place of its own, and other servers behind it.
 * @param upstreams `127.0.0.1:<port>` of each server
 */
export async function envoyConfig(upstreams: readonly string[]): Promise<string> {
  let text = await readFile(join(repositoryRoot, 'deploy/envoy/envoy.yaml'), 'utf8');
  const replace = (from: RegExp, to: string): void => {
    assert.equal(text.match(new RegExp(from, 'g'))?.length, 1, `${from} occurs once`);
    text = text.replace(from, to);
  };
  replace(/port_value: 9901/, 'port_value: 0');
  replace(/port_value: 8080/, 'port_value: 0');
  const endpoint =
    / +- endpoint:\n +address:\n +socket_address: \{ address: 127\.0\.0\.1, port_value: 50051 \}\n/;
  const [wanted] = text.match(endpoint) ?? [''];
  replace(
    endpoint,
    upstreams.map((address) => wanted.replace('50051', address.split(':')[1] ?? '')).join(''),
  );
  return text;
}
