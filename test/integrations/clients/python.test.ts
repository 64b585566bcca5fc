import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { Authority } from '../../support/certificates.js';
import { TestKeyFile } from '../../support/key-files.js';
import { PublishedModels } from '../../support/published-models.js';
import { repositoryRoot } from '../../support/repository.js';
import { ServerProcess } from '../../support/server-process.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { serverPair, TlsFiles } from '../../support/tls-files.js';
import { requireTool } from '../../support/tool.js';
import { bothServe, likeFood } from '../../support/two-versions.js';

const run = promisify(execFile);

const client = join(repositoryRoot, 'clients/python');
const adminScopes = { scopes: ['classify', 'cache-outcomes', 'admin'] } as const;

describe("the Python client's wheel", () => {
  let server: ServerProcess;

  before(async () => {
    server = await ServerProcess.start();
  });

  after(() => server.stop());

  it('installs into an empty environment, and runs the programs of its readme, of README.md and of docs/clients.md', async (t) => {
    const python = await requireTool(t, 'python-wheel');
    if (python === undefined) return;
    const folder = temporaryFolder(t);
    const wheel = await buildWheel(python, folder);
    const environment = join(folder, 'environment');
    await run(python, ['-m', 'venv', environment]);
    const own = join(environment, 'bin/python');
    await run(own, ['-m', 'pip', 'install', '--quiet', wheel]);
    for (const page of ['clients/python/README.md', 'README.md', 'docs/clients.md']) {
      writeFileSync(join(folder, 'program.py'), programOf(page, 'classify_stream'));
      const { stdout } = await run(own, ['program.py'], {
        cwd: folder,
        env: { PATH: process.env.PATH, VERDICT_ADDRESS: server.address },
      });
      assert.match(stdout, /^POSITIVE/, page);
      assert.match(stdout, /NEGATIVE/, page);
    }
  });

  it('is typed, and passes its own tests against a real server, over TLS and with a key too', async (t) => {
    const python = await requireTool(t, 'python-wheel');
    if (python === undefined) return;
    const folder = temporaryFolder(t);
    const installed = join(folder, 'installed');
    const wheel = await buildWheel(python, folder);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', installed, wheel]);
    await cp(join(client, 'tests'), join(folder, 'tests'), { recursive: true });
    await run(python, ['-m', 'mypy', '--cache-dir', join(folder, 'types'), 'src', 'tests'], {
      cwd: client,
      env: { PATH: process.env.PATH, MYPYPATH: join(client, 'src') },
    });

    const keys = new TestKeyFile(folder);
    const own = { VERDICT_TEST_KEY: keys.add('python'), VERDICT_ADMIN_KEY: keys.add('ops', adminScopes) };
    keys.write();
    const servers = { ...(await securedServer(t, folder, keys)), ...(await administeredServer(t, keys)) };
    const { stderr } = await run(python, ['-m', 'unittest', 'discover', 'tests'], {
      cwd: folder,
      env: {
        ...{ PATH: process.env.PATH, PYTHONPATH: installed, VERDICT_ADDRESS: server.address },
        ...own,
        ...servers,
      },
    });
    assert.match(stderr, /^Ran \d{2} tests[\s\S]*^OK$/m);

    writeFileSync(join(folder, 'program.py'), programOf('docs/clients.md', 'set_traffic'));
    const { stdout } = await run(python, ['program.py'], {
      cwd: folder,
      env: {
        ...{ PATH: process.env.PATH, PYTHONPATH: installed },
        VERDICT_ADDRESS: servers.VERDICT_ADMINISTERED_ADDRESS,
        VERDICT_API_KEY: own.VERDICT_ADMIN_KEY,
      },
    });
    assert.match(stdout, /^\{'1': 100\} \[\('1', 'serving'\)\]\n1 \d+ \d+ \{.*\}\n0\n/);
    assert.match(stdout, /^sentiment unchanged $/m);
  });
});

/** A server with TLS that asks for keys, as the tests want to be told of it. */
async function securedServer(
  t: TestContext,
  folder: string,
  keys: TestKeyFile,
): Promise<Record<string, string>> {
  const authority = new Authority();
  const server = await ServerProcess.start({
    ...new TlsFiles(t, serverPair(authority)).settings,
    VERDICT_API_KEYS_FILE: keys.path,
  });
  t.after(() => server.stop());
  const ca = join(folder, 'authority.pem');
  writeFileSync(ca, authority.cert);
  return { VERDICT_TLS_ADDRESS: server.address, VERDICT_CA: ca };
}

/** A server whose models the tests may change, with two versions of one of them. */
async function administeredServer(
  t: TestContext,
  keys: TestKeyFile,
): Promise<Readonly<Record<'VERDICT_ADMINISTERED_ADDRESS' | 'VERDICT_ADMINISTERED_MODELS', string>>> {
  const models = await PublishedModels.create(t);
  await models.publish('topics/1', 'topics');
  await models.publish('topics/2', 'topics', (version) => likeFood(version, 4));
  await models.publish('pairs/1', 'pairs');
  // The program of docs/clients.md asks it for no text, so a small model will do.
  await models.publish('sentiment/1', 'topics');
  const server = await models.serve(t, 'topics', { ...bothServe, VERDICT_API_KEYS_FILE: keys.path });
  return { VERDICT_ADMINISTERED_ADDRESS: server.address, VERDICT_ADMINISTERED_MODELS: models.path };
}

async function buildWheel(python: string, folder: string): Promise<string> {
  const out = join(folder, 'wheel');
  const flags = ['--quiet', '--no-deps', '--no-build-isolation', '--wheel-dir', out];
  await run(python, ['-m', 'pip', 'wheel', ...flags, client]);
  const [name = ''] = readdirSync(out);
  assert.match(name, /^verdict_grpc-\d.*-py3-none-any\.whl$/);
  return join(out, name);
}

/** The one block of Python that uses the package and holds the word; a page may also show generated code. */
function programOf(page: string, word: string): string {
  const text = readFileSync(join(repositoryRoot, page), 'utf8');
  const blocks = Array.from(text.matchAll(/^```python\n(.*?)^```/gms), ([, block = '']) => block);
  const found = blocks.filter((block) => block.includes('from verdict_grpc import') && block.includes(word));
  assert.equal(found.length, 1, page);
  return found[0] ?? '';
}
