import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { DownloadFolder } from '../../../src/sources/download-folder.js';
import { HubSource } from '../../../src/sources/hub-source.js';
import type { CopyOptions } from '../../../src/sources/types.js';
import { type HubContent, HubServer } from '../../support/hub-server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const TOKEN = 'hf_secretsecret';
const weights = randomBytes(300_000);
const config = Buffer.from('{"model_type": "bert"}');
const files: Record<string, HubContent> = {
  'config.json': { bytes: config, kept: 'git' },
  'onnx/model.onnx': { bytes: weights, kept: 'lfs' },
  'onnx/model_fp16.onnx': { bytes: weights.subarray(0, 1000), kept: 'xet' },
};

async function hub(
  t: TestContext,
  { token, ...more }: { token?: string; offline?: boolean; stallMs?: number } = {},
) {
  const server = await HubServer.start();
  t.after(() => server.stop());
  server.add('org/name', files);
  const folder = temporaryFolder(t);
  const hubOptions = {
    endpoint: server.endpoint,
    token,
    cacheDir: join(folder, 'cache'),
    offline: false,
    backoffMs: 1,
    ...more,
  };
  let copies = 0;
  return {
    server,
    options: hubOptions,
    repository: join(hubOptions.cacheDir, 'models--org--name'),
    open: (reference = 'hf://org/name', signal = new AbortController().signal) =>
      HubSource.open(reference, hubOptions, signal),
    /** Opens the source and copies one file of it. */
    fetch: async (
      path: string,
      { signal = new AbortController().signal, onProgress = () => {} }: Partial<CopyOptions> = {},
    ): Promise<Buffer> => {
      const source = await HubSource.open('hf://org/name', hubOptions, signal);
      const file = source.files.find((candidate) => candidate.path === path);
      assert.ok(file);
      const target = join(folder, `copy-${copies++}`);
      const downloads = new DownloadFolder(folder, 'unused');
      await source.copy(file, target, { signal, downloads, onProgress });
      return readFileSync(target);
    },
  };
}

describe('a repository of the Hub', () => {
  for (const [path, { bytes, kept }] of Object.entries(files)) {
    it(`gives a file that it keeps in ${kept}`, async (t) => {
      const { fetch, repository, server } = await hub(t);
      assert.deepEqual(await fetch(path), bytes);
      assert.deepEqual(readFileSync(join(repository, 'snapshots', HubServer.commit, path)), bytes);
      assert.equal(
        server.requests.some(({ host }) => host === 'storage'),
        kept !== 'git',
      );
    });
  }

  it('is listed page by page, at the commit that its revision names', async (t) => {
    const { server, open } = await hub(t);
    const many = Object.fromEntries(
      Array.from({ length: 25 }, (_, n) => [`file-${n}`, files['config.json']]),
    );
    server.add('org/name', many as Record<string, HubContent>, 10);
    const source = await open('hf://org/name@main');
    assert.equal(source.files.length, 25);
    assert.deepEqual(source.origin, { commit: HubServer.commit });
    assert.ok(
      server.requests.every(({ path }) => path.includes('/revision/') || path.includes(HubServer.commit)),
    );
  });

  it('is read from the cache the second time, and wholly from it where the Hub must not be asked', async (t) => {
    const { server, fetch, options } = await hub(t);
    await fetch('onnx/model.onnx');
    server.requests.length = 0;
    assert.deepEqual(await fetch('onnx/model.onnx'), weights);
    assert.ok(server.requests.every(({ path }) => path.startsWith('/api/')));
    server.requests.length = 0;
    const cached = await HubSource.open(
      'hf://org/name',
      { ...options, offline: true },
      new AbortController().signal,
    );
    assert.deepEqual(cached.files, [{ path: 'onnx/model.onnx', bytes: weights.length }]);
    assert.deepEqual(cached.origin, { commit: HubServer.commit });
    assert.deepEqual(server.requests, []);
  });

  it('is refused in words where the cache lacks it and the Hub must not be asked', async (t) => {
    const { open } = await hub(t, { offline: true });
    await assert.rejects(open(), /cache does not hold hf:\/\/org\/name, and HF_HUB_OFFLINE is set/);
  });

  it('tells how far a file is, and of its end once', async (t) => {
    const { fetch } = await hub(t);
    for (const path of Object.keys(files)) {
      const told: number[] = [];
      const bytes = await fetch(path, { onProgress: (done) => told.push(done) });
      assert.deepEqual(
        told,
        [...new Set(told)].sort((a, b) => a - b),
      );
      assert.equal(told.at(-1), bytes.length);
    }
  });

  it('shows the token to the Hub alone', async (t) => {
    const { server, fetch } = await hub(t, { token: TOKEN });
    await fetch('onnx/model.onnx');
    for (const { host, authorization } of server.requests) {
      assert.equal(authorization, host === 'hub' ? `Bearer ${TOKEN}` : undefined);
    }
  });

  it('goes on where a connection was cut', async (t) => {
    const { server, fetch } = await hub(t);
    server.faults.push({ path: 'storage/', times: 2, cutAfter: 100_000 });
    assert.deepEqual(await fetch('onnx/model.onnx'), weights);
    const starts = server.requests
      .filter(({ host }) => host === 'storage')
      .map(({ range = '' }) => range.split('-')[0]);
    assert.equal(starts.filter((start) => /=[1-9]/.test(start ?? '')).length, 2);
  });

  it('goes on where an earlier process was killed', async (t) => {
    const { server, fetch, repository } = await hub(t);
    server.faults.push({ path: 'storage/', times: 1, cutAfter: 100_000 });
    const onProgress = () => server.faults.push({ path: '/resolve/', status: 503 });
    await assert.rejects(
      fetch('onnx/model.onnx', { onProgress: (bytes) => bytes > 0 && onProgress() }),
      /answers with status 503/,
    );
    const [left] = readdirSync(join(repository, 'blobs')).filter((name) => name.endsWith('.incomplete'));
    assert.ok(left);
    server.faults.length = 0;
    server.requests.length = 0;
    assert.deepEqual(await fetch('onnx/model.onnx'), weights);
    const ranges = server.requests
      .map(({ range = '' }) => range)
      .filter((range) => !['', 'bytes=0-0'].includes(range));
    assert.ok(ranges.length > 0 && ranges.every((range) => /^bytes=[1-9]/.test(range)), ranges.join());
    assert.deepEqual(
      readdirSync(join(repository, 'blobs')).filter((name) => name.endsWith('.incomplete')),
      [],
    );
  });

  it('is asked again after the time that it names when it limits requests', async (t) => {
    const { server, fetch } = await hub(t);
    server.faults.push({ path: '/tree/', times: 2, status: 429, headers: { 'retry-after': '0' } });
    assert.deepEqual(await fetch('config.json'), config);
  });

  it('is not asked again before a time that is too far away', async (t) => {
    const { server, fetch } = await hub(t);
    server.faults.push({ path: '/tree/', status: 429, headers: { ratelimit: '"api";r=0;t=270' } });
    await assert.rejects(fetch('config.json'), /limits requests: try again in 270 s; .*HF_TOKEN/);
    assert.equal(server.requests.filter(({ path }) => path.includes('/tree/')).length, 1);
  });

  it('is given up after five attempts that brought nothing', async (t) => {
    const { server, fetch } = await hub(t);
    server.faults.push({ path: '/resolve/', status: 500 });
    await assert.rejects(fetch('config.json'), /answers with status 500 for org\/name/);
    assert.equal(server.requests.filter(({ path }) => path.includes('/resolve/')).length, 5);
  });

  it('counts as cut when it falls silent', async (t) => {
    const { server, fetch } = await hub(t, { stallMs: 100 });
    server.faults.push({ path: 'storage/', times: 1, silent: true });
    assert.deepEqual(await fetch('onnx/model.onnx'), weights);
  });

  it('is left at once when nobody waits any more', async (t) => {
    const { server, fetch } = await hub(t);
    server.faults.push({ path: 'storage/', silent: true });
    const gone = new AbortController();
    const fetched = fetch('onnx/model.onnx', { signal: gone.signal });
    const asked = setInterval(() => {
      if (server.requests.some(({ host }) => host === 'storage')) gone.abort();
    }, 5);
    t.after(() => clearInterval(asked));
    await assert.rejects(fetched, { name: 'AbortError' });
  });

  it('is not believed when a content has another digest, or a range is ignored', async (t) => {
    const { server, fetch, repository } = await hub(t);
    server.faults.push({ path: 'storage/', content: randomBytes(weights.length) });
    await assert.rejects(fetch('onnx/model.onnx'), /onnx\/model\.onnx arrived damaged/);
    assert.deepEqual(readdirSync(join(repository, 'blobs')), []);
    server.faults.length = 0;
    server.faults.push(
      { path: 'storage/', times: 1, cutAfter: 100_000 },
      { path: 'storage/', times: 1, whole: true },
    );
    assert.deepEqual(await fetch('onnx/model.onnx'), weights);
  });

  it('is not read beyond the size that it lists', async (t) => {
    const { server, fetch } = await hub(t);
    server.faults.push({ path: '/resolve/', content: Buffer.concat([config, config]) });
    await assert.rejects(fetch('config.json'), /config\.json is longer than the 22 bytes that the Hub lists/);
  });

  it('repairs a damaged content of the cache', async (t) => {
    const { fetch, repository } = await hub(t);
    await fetch('onnx/model.onnx');
    const [digest] = readdirSync(join(repository, 'blobs'));
    writeFileSync(join(repository, 'blobs', String(digest)), randomBytes(weights.length));
    assert.deepEqual(await fetch('onnx/model.onnx'), weights);
  });

  const refusals = {
    'a repository that is missing or private': [
      'hf://org/other',
      {},
      undefined,
      /has no org\/other, or it takes a token to see it: set HF_TOKEN/,
    ],
    'a token that is not valid': ['hf://org/other', {}, TOKEN, /HF_TOKEN is not valid there/],
    'a revision that is missing': ['hf://org/name@v9', {}, undefined, /org\/name has no such revision/],
    'a gated repository': [
      'hf://org/name',
      { status: 403, headers: { 'x-error-code': 'GatedRepo' } },
      TOKEN,
      /org\/name is gated: accept its conditions at http:\/\/127\.0\.0\.1:\d+\/org\/name/,
    ],
    'a name that is none': ['hf://org/name/more', {}, undefined, /must read hf:\/\/org\/name or/],
    'a revision that leads elsewhere': [
      'hf://org/name@a/../b',
      {},
      undefined,
      /must read hf:\/\/org\/name or/,
    ],
  } as const;
  for (const [name, [reference, fault, token, expected]] of Object.entries(refusals)) {
    it(`refuses ${name} in words, without the token`, async (t) => {
      const { server, open } = await hub(t, token === undefined ? {} : { token });
      if ('status' in fault) server.faults.push({ path: '/api/', ...fault });
      await assert.rejects(open(reference), (error: Error) => {
        assert.match(error.message, expected);
        assert.doesNotMatch(String(error.stack), /hf_secret/);
        return true;
      });
    });
  }

  it('cannot name further pages for ever', async (t) => {
    const { server, open } = await hub(t);
    server.add('org/name', files, 0);
    await assert.rejects(open(), /takes more than 100 requests/);
  });

  it('cannot put a file outside its folder', async (t) => {
    const { server, open } = await hub(t);
    for (const path of ['../../evil', '/etc/evil', 'a//b', 'C:evil', 'a\\b']) {
      server.add('org/name', { [path]: { bytes: config, kept: 'git' } });
      await assert.rejects(open(), /lists a file without a valid path, size or digest/, path);
    }
  });

  it('says when the Hub cannot be reached, and what helps', async (t) => {
    const { server, open } = await hub(t);
    await server.stop();
    await assert.rejects(open(), /cannot read from http.*ECONNREFUSED.*HF_HUB_OFFLINE=1/);
  });

  it('leaves a cache folder alone that it cannot write to, and says so', async (t) => {
    const { fetch, options } = await hub(t);
    mkdirSync(join(options.cacheDir, '..'), { recursive: true });
    writeFileSync(options.cacheDir, 'a file');
    await assert.rejects(fetch('config.json'), { code: 'ENOTDIR' });
    assert.ok(existsSync(options.cacheDir));
  });
});
