import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { DownloadFolder } from '../../../src/sources/download-folder.js';
import { MlflowSource } from '../../../src/sources/mlflow-source.js';
import { type Answer, HostileRegistry, sendForEver } from '../../support/hostile-registry.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const CONTENT = '0123456789';

interface Answers {
  readonly version?: unknown;
  readonly uri?: string;
  /** What is listed of each folder. */
  readonly files?: (path: string) => readonly unknown[];
  readonly content?: Answer;
  /** Before all others. */
  readonly first?: (path: string) => Answer | undefined;
}

/** An MLflow server with one registered model, as far as the test leaves it that. */
function mlflow({ version, uri, files, content, first }: Answers): Answer {
  return (request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const path = url.pathname.replace('/api/2.0/', '');
    const json = (value: unknown) => response.end(JSON.stringify(value));
    const other = first?.(path);
    if (other !== undefined) other(request, response);
    else if (path === 'mlflow/registered-models/alias')
      json({ model_version: version ?? { version: '3', run_id: 'abc' } });
    else if (path === 'mlflow/model-versions/get-download-uri')
      json({ artifact_uri: uri ?? 'mlflow-artifacts:/1/model' });
    else if (path === 'mlflow/runs/get') json({ run: { info: { artifact_uri: 'runs:/abc/model' } } });
    else if (path === 'mlflow-artifacts/artifacts')
      json({
        files: (files ?? (() => [{ path: 'config.json', file_size: 10 }]))(
          url.searchParams.get('path') ?? '',
        ),
      });
    else if (content !== undefined) content(request, response);
    else response.end(CONTENT);
  };
}

async function opened(
  t: TestContext,
  answers: Answers,
  { signal = new AbortController().signal, stallMs = 5_000 } = {},
) {
  const registry = await HostileRegistry.start(t, mlflow(answers));
  const access = {
    mlflow: {
      trackingUri: registry.endpoint,
      credentials: { kind: 'token', token: 'secretsecret' },
      stallMs,
      backoffMs: 1,
    },
    s3: { endpoint: undefined, region: undefined },
  } as const;
  const folder = temporaryFolder(t);
  const open = () => MlflowSource.open('mlflow://m@champion', access, signal);
  return {
    registry,
    folder,
    open,
    copy: async () => {
      const source = await open();
      const downloads = new DownloadFolder(folder, 'm');
      const [file] = source.files;
      assert.ok(file);
      try {
        await source.copy(file, join(folder, 'copy'), { signal, downloads, onProgress: () => {} });
      } finally {
        await downloads.release();
      }
      return readFileSync(join(folder, 'copy'), 'utf8');
    },
  };
}

describe('an MLflow server that means harm', () => {
  for (const entry of [
    { path: '../config.json', file_size: 1 },
    { path: '/etc/passwd', file_size: 1 },
    { path: 'a\\b', file_size: 1 },
    { path: 'a\0b', file_size: 1 },
    { path: 'config.json', file_size: -1 },
    { path: 'config.json', file_size: 1e300 },
    { path: 7, file_size: 1 },
    'config.json',
  ]) {
    it(`is refused for listing ${JSON.stringify(entry)}`, async (t) => {
      const { open } = await opened(t, { files: () => [entry] });
      await assert.rejects(open(), /an artifact is listed without a valid path or size/);
    });
  }

  it('cannot list for ever: not by folders, and not within an answer', async (t) => {
    const deep = await opened(t, { files: () => [{ path: 'a', is_dir: true }] });
    await assert.rejects(deep.open(), /folders more than 5 deep/);
    const wide = await opened(t, {
      files: (path) =>
        path === '1/model' ? Array.from({ length: 500 }, (_, n) => ({ path: `${n}`, is_dir: true })) : [],
    });
    await assert.rejects(wide.open(), /holds more than 200 folders/);
    assert.ok(wide.registry.requests.length < 210);
    const endless = await opened(t, { first: () => (_, response) => sendForEver(response, '{') });
    await assert.rejects(endless.open(), /an answer is longer than 8388608 bytes/);
  });

  for (const [what, uri] of Object.entries({
    'another MLflow server': 'mlflow-artifacts://other.example.com/1/model',
    'no folder': 'mlflow-artifacts:/../../etc',
    'dbfs:': 'dbfs:/somewhere',
    'runs:': 'runs:/abc/model',
  })) {
    it(`cannot send readers to artifacts in ${what}`, async (t) => {
      const { open } = await opened(t, { uri });
      await assert.rejects(open(), new RegExp(`the artifacts of mlflow://m@champion are (in|on) ${what}`));
    });
  }

  it('cannot send readers, or their token, to another host', async (t) => {
    const elsewhere = await HostileRegistry.start(t, (_, response) => response.end('{}'));
    const { open } = await opened(t, {
      first: () => (_, response) => response.writeHead(302, { location: elsewhere.endpoint }).end(),
    });
    await assert.rejects(open(), /redirects elsewhere: set MLFLOW_TRACKING_URI/);
    assert.deepEqual(elsewhere.requests, []);
    const looping = await opened(t, {
      first: () => (_, response) => response.writeHead(302, { location: '/again' }).end(),
    });
    await assert.rejects(looping.open(), /redirects elsewhere/);
    assert.equal(looping.registry.requests.length, 4);
  });

  for (const [what, version] of Object.entries({
    'a version that is no number': { version: '1; rm', run_id: 'abc' },
    'a run that is no id': { version: '1', run_id: '../x' },
    'a version of another kind': 7,
  })) {
    it(`is refused for ${what}`, async (t) => {
      const { open } = await opened(t, { version });
      await assert.rejects(open(), /names no version of m/);
    });
  }

  it('is refused for what is no JSON, and its words are not repeated', async (t) => {
    const { open } = await opened(t, { first: () => (_, response) => response.end('<secret words>') });
    await assert.rejects(open(), /^RegistryError|does not answer as an MLflow server does/);
    const error = JSON.stringify({ error_code: 'X\u001b[2J', message: 'secret words' });
    const failing = await opened(t, { first: () => (_, response) => response.writeHead(418).end(error) });
    await assert.rejects(failing.open(), /answers with status 418 for m@champion$/);
  });

  it('cannot send more than it lists, nor less', async (t) => {
    const more = await opened(t, { content: (_, response) => sendForEver(response, 'x') });
    await assert.rejects(more.copy(), /config\.json of mlflow:\/\/m@champion is longer than the 10 bytes/);
    assert.deepEqual(
      readdirSync(more.folder).filter((name) => !name.startsWith('.')),
      [],
    );
    const none = await opened(t, { content: (_, response) => response.end() });
    await assert.rejects(none.copy(), /ends after 0 of 10 bytes/);
  });

  it('cannot hold a reader by silence', async (t) => {
    const { copy } = await opened(t, { content: () => undefined }, { stallMs: 50 });
    await assert.rejects(copy(), /cannot read from http:\/\/127\.0\.0\.1:\d+ \(no answer in time\)/);
  });

  it('that knows no ranges sends a file from its start, of which the rest is taken', async (t) => {
    let asked = 0;
    const { copy } = await opened(t, {
      content: (_, response) => {
        asked += 1;
        if (asked > 1) response.end(CONTENT);
        else response.write(CONTENT.slice(0, 4), () => setImmediate(() => response.destroy()));
      },
    });
    assert.equal(await copy(), CONTENT);
    assert.equal(asked, 2);
  });

  it('that is busy is asked again', async (t) => {
    let asked = 0;
    const { copy } = await opened(t, {
      first: () => (++asked === 1 ? (_, response) => response.writeHead(503).end() : undefined),
    });
    assert.equal(await copy(), CONTENT);
  });
});

describe('a folder for downloads', () => {
  it('refuses a file that does not fit on the disk, before it asks for it', async (t) => {
    const { copy, registry } = await opened(t, {
      files: () => [{ path: 'config.json', file_size: Number.MAX_SAFE_INTEGER }],
    });
    await assert.rejects(copy(), { code: 'ENOSPC' });
    assert.ok(registry.requests.every(({ path }) => !path.includes('config.json')));
  });

  it('forgets what nobody has gone on with for a week', async (t) => {
    const { copy, folder } = await opened(t, {});
    const downloads = join(folder, '.downloads/m');
    mkdirSync(downloads, { recursive: true });
    writeFileSync(join(downloads, 'old.partial'), 'x');
    utimesSync(join(downloads, 'old.partial'), 1, 1);
    assert.equal(await copy(), CONTENT);
    assert.ok(!readdirSync(downloads).includes('old.partial'));
  });
});
