import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { status } from '@grpc/grpc-js';
import { classification, grpcError, startTestServer } from '../../unit/client/test-server.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const run = promisify(execFile);

/** The first block of that language in docs/clients.md. */
function block(language: string): string {
  const doc = readFileSync(join(ROOT, 'docs', 'clients.md'), 'utf8');
  const found = doc.split('```').find((part) => part.startsWith(`${language}\n`));
  assert.ok(found !== undefined, `docs/clients.md has no ${language} block`);
  return found.slice(language.length + 1);
}

test('The TypeScript of docs/clients.md compiles against the package and runs', async () => {
  // Inside the repository, so that '@verdict-grpc/client' is found among its workspaces.
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  const dir = mkdtempSync(join(ROOT, 'dist', 'snippet-'));
  const server = await startTestServer({
    classify: ({ request }) =>
      request.model === ''
        ? { classification: classification() }
        : grpcError(status.NOT_FOUND, 'there is no such model', { reason: 'MODEL_NOT_FOUND' }),
  });
  try {
    writeFileSync(join(dir, 'snippet.mts'), block('ts'));
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const flags = [
      '--ignoreConfig',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--types',
      'node',
      '--skipLibCheck',
    ];
    await run(process.execPath, [tsc, ...flags, join(dir, 'snippet.mts')], { cwd: ROOT });
    const { stdout } = await run(process.execPath, [join(dir, 'snippet.mjs')], {
      env: { ...process.env, VERDICT_ADDRESS: server.address },
    });
    const lines = stdout.trim().split('\n');
    assert.equal(lines[0], 'POSITIVE 0.75 miss 6');
    assert.deepEqual(lines.slice(1, 4), ['POSITIVE', 'POSITIVE', 'POSITIVE']);
    assert.deepEqual(lines.slice(4, 8), ['0 POSITIVE', '250 POSITIVE', '500 POSITIVE', '750 POSITIVE']);
    assert.match(lines[8] ?? '', /^NOT_FOUND MODEL_NOT_FOUND \[\]/);
  } finally {
    server.close();
    rmSync(dir, { recursive: true });
  }
});

test('The service config of docs/clients.md is one that gRPC takes, and retries only what is idempotent', () => {
  const config: {
    methodConfig: {
      name: { service: string; method?: string }[];
      retryPolicy: { retryableStatusCodes: string[] };
    }[];
  } = JSON.parse(block('json'));
  const names = config.methodConfig.flatMap(({ name }) => name);
  assert.ok(
    names.every(({ service, method }) => service === 'verdict.v1.ModelService' || method !== undefined),
  );
  assert.ok(names.every(({ method }) => method !== 'ClassifyStream'));
  assert.deepEqual(config.methodConfig[0]?.retryPolicy.retryableStatusCodes, ['UNAVAILABLE']);
});
