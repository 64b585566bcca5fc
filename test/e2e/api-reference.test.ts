import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { EnvoyProcess } from '../support/envoy-process.js';
import { freePort } from '../support/free-port.js';
import { repositoryRoot } from '../support/repository.js';
import { ServerProcess } from '../support/server-process.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';

interface Visit {
  readonly status: string;
  readonly answer: string;
  readonly hosts: readonly string[];
  readonly complaints: readonly string[];
}
type Browse = (options: { chromiumPath: string; docsUrl: string }) => Promise<Visit>;

const script = (name: string) => import(pathToFileURL(join(repositoryRoot, 'scripts', name)).href);
const { findChromium }: { findChromium: () => Promise<string | undefined> } =
  await script('tools/chromium.mjs');
const { browseReference }: { browseReference: Browse } = await script('browse-reference.mjs');

// Chromium is fetched by nobody, so it may be missing anywhere.
const chromiumPath = (await findChromium()) ?? '';
const skip = chromiumPath === '' ? 'there is no Chromium on the PATH' : await skipWithout('envoy');

describe('the reference page, in Chromium', { skip }, () => {
  let envoy: EnvoyProcess;
  let server: ServerProcess;

  before(async () => {
    // Envoy first: the server wants to know where it is.
    const port = await freePort();
    envoy = await EnvoyProcess.start(`127.0.0.1:${port}`);
    server = await ServerProcess.start({ VERDICT_PORT: String(port), VERDICT_DOCS_API_URL: envoy.url });
    await until('Envoy takes the server for healthy', async () => {
      return (await fetch(`${envoy.url}/v1/models`)).ok;
    });
  });
  after(async () => {
    await server.stop();
    await envoy.stop();
  });

  it('sends its example through Envoy, and shows the answer', { timeout: 240_000 }, async () => {
    const visit = await browseReference({ chromiumPath, docsUrl: `${server.adminUrl}/docs` });
    assert.equal(visit.status, '200');
    const { classification } = JSON.parse(visit.answer);
    const labels = classification.predictions.map(({ label }: { label: string }) => label);
    assert.deepEqual(labels, ['POSITIVE', 'NEGATIVE']);
    assert.deepEqual(visit.complaints, []);
    assert.deepEqual(visit.hosts, [new URL(server.adminUrl).host, new URL(envoy.url).host]);
  });
});
