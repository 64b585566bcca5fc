import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';

/** Puts the parts of docs/tracing.md into Envoy's configuration: it traces every call, to the collector at that URL. */
export function withEnvoyTracing(collectorUrl: string): (configuration: string) => string {
  const page = readFileSync(join(repositoryRoot, 'docs/tracing.md'), 'utf8');
  const [, manager = '', cluster = ''] =
    /```yaml\n(tracing:\n.*?)```.*?```yaml\n(- name:.*?)```/s.exec(page) ?? [];
  const port = new URL(collectorUrl).port;
  return (configuration) => {
    const traced = configuration
      .replace(
        /^( +)stat_prefix: api\n/m,
        (line, spaces: string) =>
          line + indented(manager.replace('value: 1 }', 'value: 100 }'), spaces.length),
      )
      .replace(/^( *)clusters:\n/m, (line, spaces: string) => {
        return line + indented(cluster.replace('4317', port), spaces.length + 2);
      });
    assert.ok(traced.includes('{ value: 100 }') && traced.includes(`port_value: ${port}`));
    return traced;
  };
}

function indented(block: string, spaces: number): string {
  return block.replaceAll(/^(?=.)/gm, ' '.repeat(spaces));
}
