import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { DownloadFolder } from '../../../src/sources/download-folder.js';
import { S3Source } from '../../../src/sources/s3-source.js';
import { type Answer, HostileRegistry, sendForEver } from '../../support/hostile-registry.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { until } from '../../support/until.js';

// The SDK reads them of the process.
Object.assign(process.env, {
  AWS_ACCESS_KEY_ID: 'AKIATEST',
  AWS_SECRET_ACCESS_KEY: 'secretsecret',
  AWS_MAX_ATTEMPTS: '1',
});

const ETAG = '"0123456789abcdef0123456789abcdef-2"';

const object = (key: string, bytes: number | string) =>
  `<Contents><Key>${key}</Key><Size>${bytes}</Size><ETag>${ETAG}</ETag></Contents>`;

const listing = (contents: string, next = '') =>
  `<?xml version="1.0"?><ListBucketResult><IsTruncated>${next !== ''}</IsTruncated>${contents}` +
  `${next && `<NextContinuationToken>${next}</NextContinuationToken>`}</ListBucketResult>`;

/** Lists one file of ten bytes, and answers for its content as the test wants it. */
const withContent =
  (content: Answer): Answer =>
  (request, response) => {
    if (request.url?.includes('list-type=2')) response.end(listing(object('m/config.json', 10)));
    else if (request.method === 'HEAD') response.writeHead(200, { etag: ETAG, 'content-length': 10 }).end();
    else content(request, response);
  };

async function opened(
  t: TestContext,
  answer: Answer,
  { signal = new AbortController().signal, stallMs = 5_000 } = {},
) {
  const registry = await HostileRegistry.start(t, answer);
  const options = { endpoint: registry.endpoint, region: 'us-east-1', stallMs };
  const folder = temporaryFolder(t);
  const open = () => S3Source.open('s3://bucket/m', options, signal);
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
    },
  };
}

describe('an S3 server that means harm', () => {
  const keys = ['m/../../etc/passwd', 'm//x', 'm/a\\b', 'm/a:b', 'm/./x'];
  for (const key of keys) {
    it(`cannot have the key ${JSON.stringify(key)} written`, async (t) => {
      const { open } = await opened(t, (_, response) => response.end(listing(object(key, 1))));
      await assert.rejects(open(), /s3:\/\/bucket\/m: an object's key is no path of a file/);
    });
  }

  for (const [what, contents] of Object.entries({
    'a key outside the prefix': object('other/config.json', 1),
    'a negative size': object('m/config.json', -1),
    'a size that is none': object('m/config.json', '1e99'),
    'no ETag': '<Contents><Key>m/config.json</Key><Size>1</Size></Contents>',
  })) {
    it(`is refused for ${what}`, async (t) => {
      const { open } = await opened(t, (_, response) => response.end(listing(contents)));
      await assert.rejects(open(), /an object is listed without a valid key, size or ETag/);
    });
  }

  it('cannot list for ever: not by pages, and not within one', async (t) => {
    const pages = await opened(t, (_, response) => response.end(listing('', 'more')));
    await assert.rejects(pages.open(), /holds more than 10000 objects/);
    assert.equal(pages.registry.requests.length, 100);
    const endless = await opened(t, (_, response) => sendForEver(response, '<ListBucketResult>'));
    await assert.rejects(endless.open(), /an answer is longer than 8388608 bytes/);
  });

  it('cannot send more than it lists, nor less', async (t) => {
    const more = await opened(
      t,
      withContent((_, response) => sendForEver(response, 'x')),
    );
    await assert.rejects(more.copy(), /config\.json is longer than the 10 bytes that are listed/);
    assert.deepEqual(
      readdirSync(more.folder).filter((name) => !name.startsWith('.')),
      [],
    );
    const none = await opened(
      t,
      withContent((_, response) => response.end()),
    );
    await assert.rejects(none.copy(), /config\.json ends after 0 bytes/);
  });

  it('cannot send readers elsewhere', async (t) => {
    const elsewhere = await HostileRegistry.start(t, (_, response) => response.end());
    const { open } = await opened(t, (_, response) =>
      response.writeHead(307, { location: elsewhere.endpoint }).end(),
    );
    await assert.rejects(open(), /answers with status 307|cannot read/);
    assert.deepEqual(elsewhere.requests, []);
  });

  it('cannot have its own words repeated', async (t) => {
    const error = '<Error><Code>secret\u001b[2J words</Code><Message>secret words</Message></Error>';
    const { open } = await opened(t, (_, response) => response.writeHead(400).end(error));
    await assert.rejects(open(), (caught: Error) => {
      assert.match(caught.message, /answers with status 400 for s3:\/\/bucket\/m$/);
      return true;
    });
  });

  it('cannot change an object while it is read', async (t) => {
    const { copy } = await opened(
      t,
      withContent((_, response) =>
        response.writeHead(412).end('<Error><Code>PreconditionFailed</Code></Error>'),
      ),
    );
    await assert.rejects(copy(), /an object has changed while it was read/);
  });

  it('cannot hold a reader by silence, and a reader can leave', async (t) => {
    const silent = withContent(() => undefined);
    const { copy } = await opened(t, silent, { stallMs: 50 });
    await assert.rejects(copy(), /cannot read from http:\/\/127\.0\.0\.1:\d+ \(no answer in time\)/);
    const leaving = new AbortController();
    const held = await opened(t, silent, { signal: leaving.signal });
    const copied = held.copy();
    copied.catch(() => undefined);
    await until('the content is asked for', () => held.registry.requests.length === 3);
    leaving.abort(new Error('left'));
    await assert.rejects(copied, /left/);
  });
});
