import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { rootCertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { settings } from '../../src/config/settings.js';
import { type Config, loadConfig } from '../../src/config.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'verdict-config-'));
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
});

function load(argv: string[] = [], env: Record<string, string> = {}): Promise<Config> {
  return loadConfig({ argv, env, cwd });
}

describe('what is taken where nothing is given', () => {
  it('listens on this machine alone, on the documented ports', async () => {
    const { server, admin } = await load();
    assert.deepEqual(
      [server.host, server.port, admin.host, admin.port],
      ['127.0.0.1', 50_051, '127.0.0.1', 9464],
    );
  });

  it("finds the package's own models, wherever it is started", async () => {
    const { models } = await load();
    assert.equal(models.dir, fileURLToPath(new URL('../../../models', import.meta.url)));
    assert.ok(existsSync(join(models.dir, '../package.json')));
  });

  it('shares the cores among the instances', async () => {
    assert.equal((await load()).runtime.intraOpThreads, availableParallelism());
    assert.equal(
      (await load(['--instances', '64'])).runtime.intraOpThreads,
      Math.max(1, Math.floor(availableParallelism() / 64)),
    );
  });

  it('is frozen, sections included', async () => {
    const config = await load();
    assert.ok(Object.isFrozen(config));
    for (const section of Object.values(config)) assert.ok(Object.isFrozen(section));
  });

  it('shows the same defaults that it uses', async () => {
    const config = (await load()) as unknown as Record<string, Record<string, unknown>>;
    for (const { section, key, kind, defaultText, path } of settings) {
      if (kind === 'int' && path !== 'runtime.intraOpThreads') {
        assert.equal(String(config[section]?.[key]), defaultText, path);
      }
    }
  });
});

describe('which source wins', () => {
  it('a flag over the environment over .env over the YAML file over the default', async () => {
    writeFileSync(
      join(cwd, 'verdict.yaml'),
      'limits: { streamWindow: 1, maxTextChars: 1, maxBatchInputs: 1, defaultDeadlineMs: 1 }',
    );
    writeFileSync(
      join(cwd, '.env'),
      'VERDICT_STREAM_WINDOW=2\nVERDICT_MAX_TEXT_CHARS=2\nVERDICT_MAX_BATCH_INPUTS=2\n',
    );
    const env = { VERDICT_STREAM_WINDOW: '3', VERDICT_MAX_TEXT_CHARS: '3', VERDICT_CONFIG: 'verdict.yaml' };
    const { limits, batching } = await load(['--stream-window=4'], env);
    const { streamWindow, maxTextChars, maxBatchInputs, defaultDeadlineMs } = limits;
    assert.deepEqual([streamWindow, maxTextChars, maxBatchInputs, defaultDeadlineMs], [4, 3, 2, 1]);
    assert.equal(batching.maxItems, 256);
  });

  it('the last of a flag given twice', async () => {
    assert.equal((await load(['--port', '1', '--port', '2'])).server.port, 2);
  });

  it('--config over VERDICT_CONFIG', async () => {
    writeFileSync(join(cwd, 'flag.yaml'), 'server: { port: 1 }');
    writeFileSync(join(cwd, 'variable.yaml'), 'server: { port: 2 }');
    assert.equal((await load(['--config', 'flag.yaml'], { VERDICT_CONFIG: 'variable.yaml' })).server.port, 1);
  });

  it('VERDICT_REDIS_URL over REDIS_URL', async () => {
    assert.equal((await load([], { REDIS_URL: 'redis://a' })).redis.url, 'redis://a');
    assert.equal(
      (await load([], { REDIS_URL: 'redis://a', VERDICT_REDIS_URL: 'redis://b' })).redis.url,
      'redis://b',
    );
  });

  it('an empty variable gives nothing, but hides the one in .env', async () => {
    writeFileSync(join(cwd, '.env'), 'REDIS_URL=redis://a\nVERDICT_PORT=7\n');
    const { redis, server } = await load([], { REDIS_URL: '' });
    assert.equal(redis.url, undefined);
    assert.equal(server.port, 7);
  });
});

describe('where it runs', () => {
  it('ignores the variables that Kubernetes makes for a Service named verdict', async () => {
    const { server, admin } = await load([], {
      VERDICT_PORT: 'tcp://10.0.0.1:50051',
      VERDICT_SERVICE_HOST: '10.0.0.1',
      VERDICT_SERVICE_PORT: '50051',
      VERDICT_SERVICE_PORT_GRPC: '50051',
      VERDICT_PORT_50051_TCP: 'tcp://10.0.0.1:50051',
      VERDICT_PORT_50051_TCP_ADDR: '10.0.0.1',
      VERDICT_ADMIN_PORT: 'tcp://10.0.0.2:9464',
    });
    assert.deepEqual([server.port, admin.port], [50_051, 9464]);
  });

  it('starts relative paths at the working directory', async () => {
    writeFileSync(join(cwd, 'ca.pem'), rootCertificates[0] ?? '');
    const { models, redis } = await load(['--models-dir', 'm', '--redis-ca-file', 'ca.pem']);
    assert.deepEqual([models.dir, redis.caFile], [join(cwd, 'm'), join(cwd, 'ca.pem')]);
  });

  it('takes an empty YAML file, empty sections and empty keys as nothing given', async () => {
    writeFileSync(join(cwd, 'a.yaml'), '# nothing\n');
    writeFileSync(join(cwd, 'b.yaml'), 'server:\nlimits:\n  streamWindow:\n');
    assert.deepEqual(await load(['--config', 'a.yaml']), await load(['--config', 'b.yaml']));
  });
});
