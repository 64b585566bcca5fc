import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { TestKeyFile } from '../support/key-files.js';
import { repositoryRoot } from '../support/repository.js';
import { Service } from '../support/service.js';
import { clientOf, startService } from '../support/started-service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { requireTool } from '../support/tool.js';
import { until } from '../support/until.js';

const PATIENCE = { timeout: 120_000 };
const strangers = /everybody who reaches the gRPC port may use it/;

/** A file with keys, and a server that uses it. */
async function startWithKeys(t: TestContext, fill: (file: TestKeyFile) => void) {
  const file = new TestKeyFile(temporaryFolder(t));
  fill(file);
  file.write();
  return { file, service: await startService(t, { VERDICT_API_KEYS_FILE: file.path }) };
}

/** Replaces the file, and waits until the server has taken it. */
async function take({ server }: Service, file: TestKeyFile): Promise<void> {
  const loads = () => server.log.filter(({ msg }) => msg === 'API keys loaded').length;
  const before = loads();
  file.write();
  await until('the new keys are taken', () => loads() > before);
}

function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<readonly [number, string]> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { env }, (_, stdout, stderr) =>
      resolve([child.exitCode ?? -1, stdout + stderr]),
    );
  });
}

const verdict = (args: readonly string[], env: Record<string, string> = {}) =>
  run(process.execPath, [join(repositoryRoot, 'dist/src/cli/main.js'), ...args], env);

describe('a server with API keys', PATIENCE, () => {
  it('serves those who have one, and shows no key anywhere', async (t) => {
    let [key, wrong] = ['', ''];
    const { file, service } = await startWithKeys(t, (keys) => {
      key = keys.add('search');
      wrong = keys.add('gone');
      keys.remove('gone');
    });
    assert.equal((await clientOf(t, service, key).classify('the coach')).label, 'sports');
    const strange = clientOf(t, service);
    await assert.rejects(strange.classify('the coach'), {
      code: 'UNAUTHENTICATED',
      reason: 'MISSING_CREDENTIALS',
    });
    await assert.rejects(clientOf(t, service, wrong).classify('the coach'), {
      code: 'UNAUTHENTICATED',
      reason: 'INVALID_CREDENTIALS',
    });
    assert.equal(await strange.health(), 'serving');
    file.write(file.text.replace('hash', key));
    await until('the bad file is noticed', async () => {
      return (await service.server.metric('verdict_auth_file_unusable')) === 1;
    });
    const calls = service.server.log.filter(({ msg, code }) => msg === 'call' && code === 'OK');
    assert.equal(calls[0]?.identity, 'key:search');
    const page = await (await service.page('/metrics')).text();
    assert.match(page, /verdict_auth_refusals_total\{reason="missing"\} 1/);
    assert.match(page, /verdict_auth_refusals_total\{reason="invalid"\} 1/);
    await service.stop();
    const written = JSON.stringify(service.server.log) + service.server.complaints.join('') + page;
    for (const secret of [key, wrong, file.secret]) assert.ok(!written.includes(secret.slice(-43)));
  });

  it('lets callers of the command line in', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'keys.yaml');
    const env = { VERDICT_API_KEYS_FILE: path };
    const [, made] = await verdict(['keys', 'new', '--id', 'shell'], env);
    const key = /^vk_\S+$/m.exec(made)?.[0] ?? '';
    const service = await startService(t, env);
    const line = ['classify', '--address', service.server.address, 'the coach'];
    const [refused, complaint] = await verdict(line);
    assert.equal(refused, 3);
    assert.match(complaint, /VERDICT_API_KEY/);
    const [code, answer] = await verdict(line, { VERDICT_API_KEY: key });
    assert.deepEqual([code, JSON.parse(answer).label], [0, 'sports']);
    assert.equal((await verdict([...line, `--metadata=x-api-key=${key}`]))[0], 0);
    const [bad, said] = await verdict([...line, '--api-key', `${key} `]);
    assert.equal(bad, 2);
    assert.ok(!said.includes(key));
    const revoked = await verdict(['keys', 'revoke', 'shell'], env);
    assert.equal(revoked[0], 0);
    await until('the key is refused', async () => {
      return (await verdict(line, { VERDICT_API_KEY: key }))[0] === 3;
    });
  });

  it('gives reflection to keys with the scope', async (t) => {
    const grpcurl = await requireTool(t, 'grpcurl');
    if (grpcurl === undefined) return;
    let [key, other] = ['', ''];
    const { service } = await startWithKeys(t, (keys) => {
      key = keys.add('tools', { scopes: ['reflection'] });
      other = keys.add('search');
    });
    const list = (token: string) =>
      run(grpcurl, ['-plaintext', '-H', `authorization: Bearer ${token}`, service.server.address, 'list']);
    assert.match((await list(key))[1], /verdict\.v1\.ClassifierService/);
    assert.match((await list(other))[1], /the scope reflection is missing/);
  });

  it('rotates keys under load: no call fails that should pass, and none passes that should fail', async (t) => {
    let stays = '';
    const { file, service } = await startWithKeys(t, (keys) => {
      stays = keys.add('stays');
    });
    const stopping = new AbortController();
    const failures: string[] = [];
    let answered = 0;
    const callers = Array.from({ length: 4 }, async (_, n) => {
      const client = clientOf(t, service, stays);
      while (!stopping.signal.aborted) {
        try {
          await client.classify(`the coach of team ${n}, match ${answered}`);
          answered++;
        } catch (error) {
          failures.push(String(error));
        }
      }
    });
    for (let round = 0; round < 2; round++) {
      const key = file.add(`round-${round}`, { models: ['topics'] });
      await take(service, file);
      const client = clientOf(t, service, key);
      assert.equal((await client.classify('the coach')).label, 'sports');
      file.remove(`round-${round}`);
      await take(service, file);
      for (let call = 0; call < 20; call++) {
        await assert.rejects(client.classify('the coach'), { reason: 'INVALID_CREDENTIALS' });
      }
    }
    stopping.abort();
    await Promise.all(callers);
    assert.deepEqual(failures, []);
    assert.ok(answered > 0);
  });

  it('ends the open stream of a key that is revoked, and of one that expires', async (t) => {
    let [key, brief] = ['', ''];
    const { file, service } = await startWithKeys(t, (keys) => {
      key = keys.add('stream');
      brief = keys.add('brief');
    });
    const opened = async (apiKey: string) => {
      async function* source() {
        yield 'the coach';
        await new Promise(() => {});
      }
      const results = clientOf(t, service, apiKey).classifyStream(source())[Symbol.asyncIterator]();
      const first = await results.next();
      assert.ok(first.done !== true && first.value.ok);
      return { next: results.next() };
    };
    const [revoked, expiring] = await Promise.all([opened(key), opened(brief)]);
    const ends = Promise.all([
      assert.rejects(revoked.next, { code: 'UNAUTHENTICATED', reason: 'REVOKED_CREDENTIALS' }),
      assert.rejects(expiring.next, { code: 'UNAUTHENTICATED', reason: 'EXPIRED_CREDENTIALS' }),
    ]);
    file.remove('stream');
    file.set('brief', brief, { expires: `${new Date(Date.now() + 3_000).toISOString().slice(0, 19)}Z` });
    await take(service, file);
    await ends;
  });

  it('keeps no key in its heap, not even of an open call', async (t) => {
    const folder = temporaryFolder(t);
    const file = new TestKeyFile(folder);
    const key = file.add('stream');
    file.write();
    const service = await startService(t, {
      VERDICT_API_KEYS_FILE: file.path,
      NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`,
    });
    async function* source() {
      yield 'the coach';
      await new Promise(() => {});
    }
    const results = clientOf(t, service, key).classifyStream(source())[Symbol.asyncIterator]();
    assert.equal((await results.next()).done, false);
    service.server.kill('SIGUSR2');
    let snapshot = '';
    await until('the heap is written', () => {
      const name = readdirSync(folder).find((entry) => entry.endsWith('.heapsnapshot'));
      if (name !== undefined) snapshot = readFileSync(join(folder, name), 'utf8');
      return snapshot.trimEnd().endsWith(']}');
    });
    assert.ok(snapshot.includes('key:stream'));
    assert.ok(!snapshot.includes(key.slice(-43)));
  });

  it('follows a symbolic link that is swapped, and keeps the keys while the file is of no use', async (t) => {
    const folder = temporaryFolder(t);
    const file = new TestKeyFile(folder);
    const link = join(folder, 'mounted.yaml');
    const key = file.add('search');
    writeFileSync(join(folder, 'v1'), file.text);
    symlinkSync(join(folder, 'v1'), link);
    const service = await startService(t, { VERDICT_API_KEYS_FILE: link });
    const second = file.add('second');
    writeFileSync(join(folder, 'v2'), file.text);
    unlinkSync(link);
    symlinkSync(join(folder, 'v2'), link);
    const client = clientOf(t, service, second);
    await until('the second key is taken', async () => {
      return client.classify('the coach').then(
        () => true,
        () => false,
      );
    });
    unlinkSync(link);
    const unusable = () => service.server.metric('verdict_auth_file_unusable');
    await until('the missing file is noticed', async () => (await unusable()) === 1);
    assert.equal((await clientOf(t, service, key).classify('the coach')).label, 'sports');
    const told = () => service.server.log.filter(({ msg }) => String(msg).includes('the former keys stay'));
    await until('the log says so', () => told().length > 0);
    const lines = told();
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.level, 'warn');
    symlinkSync(join(folder, 'v2'), link);
    await until('the file is good again', async () => (await unusable()) === 0);
    assert.equal(await service.server.metric('verdict_auth_reload_failures_total'), 1);
  });

  it('does not start with a key file of no use, and names file, key and field', async (t) => {
    const file = new TestKeyFile(temporaryFolder(t));
    file.add('search', { scopes: ['root'] });
    file.write();
    await assert.rejects(
      Service.start(['topics'], { VERDICT_API_KEYS_FILE: file.path }),
      /keys\.yaml: keys\[0\] \(search\)\.scopes\[0\]: must be one of classify/,
    );
    await assert.rejects(
      Service.start(['topics'], { VERDICT_API_KEYS_FILE: join(file.path, '..', 'none.yaml') }),
      /VERDICT_API_KEYS_FILE is .*none\.yaml": it cannot be read: there is no such file/,
    );
  });

  it('asks for the scope on /metrics unless the admin port is on loopback, and never on probes', async (t) => {
    const file = new TestKeyFile(temporaryFolder(t));
    const scraper = file.add('prometheus', { scopes: ['metrics'] });
    const other = file.add('search');
    file.write();
    const service = await startService(t, {
      VERDICT_API_KEYS_FILE: file.path,
      VERDICT_ADMIN_HOST: '0.0.0.0',
    });
    const get = async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${service.server.adminUrl}${path}`, { headers });
      const body = await response.text();
      return [response.status, response.headers.get('www-authenticate'), body.split('\n')[0]];
    };
    assert.deepEqual(await get('/metrics'), [
      401,
      'Bearer',
      'credentials are missing: send authorization: Bearer, or x-api-key',
    ]);
    assert.deepEqual(await get('/metrics', { 'x-api-key': other }), [
      403,
      null,
      'the scope metrics is missing',
    ]);
    assert.equal((await get('/metrics', { authorization: `Bearer ${scraper}` }))[0], 200);
    for (const path of ['/livez', '/readyz', '/']) assert.equal((await get(path))[0], 200);
  });
});

describe('a server without API keys', PATIENCE, () => {
  it('warns once if others can reach it, and not on loopback', async (t) => {
    const warnings = ({ server }: Service) =>
      server.log.filter(({ level, msg }) => level === 'warn' && strangers.test(String(msg)));
    assert.equal(warnings(await startService(t, { VERDICT_HOST: '0.0.0.0' })).length, 1);
    assert.equal(warnings(await startService(t, {})).length, 0);
    const file = new TestKeyFile(temporaryFolder(t));
    file.write();
    const settings = { VERDICT_HOST: '0.0.0.0', VERDICT_API_KEYS_FILE: file.path };
    assert.equal(warnings(await startService(t, settings)).length, 0);
  });

  it('takes no notice of keys that are sent', async (t) => {
    const service = await startService(t, {});
    const client = clientOf(t, service, 'whatever');
    const answer = await client.classify('the coach');
    assert.notEqual(answer.cache, 'unknown');
    const call = service.server.log.find(({ msg }) => msg === 'call');
    assert.ok(call === undefined || !('identity' in call));
    assert.equal(await service.server.metric('verdict_auth_keys'), 0);
  });
});
