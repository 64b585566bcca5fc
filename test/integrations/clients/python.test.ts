import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { Authority } from '../../support/certificates.js';
import { TestKeyFile } from '../../support/key-files.js';
import { repositoryRoot } from '../../support/repository.js';
import { ServerProcess } from '../../support/server-process.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { serverPair, TlsFiles } from '../../support/tls-files.js';
import { requireTool } from '../../support/tool.js';

const run = promisify(execFile);

const client = join(repositoryRoot, 'clients/python');

describe("the Python client's wheel", () => {
  let server: ServerProcess;

  before(async () => {
    server = await ServerProcess.start();
  });

  after(() => server.stop());

  it('installs into an empty environment, and runs the programs of its readme and of docs/clients.md', async (t) => {
    const python = await requireTool(t, 'python-wheel');
    if (python === undefined) return;
    const folder = temporaryFolder(t);
    const wheel = await buildWheel(python, folder);
    const environment = join(folder, 'environment');
    await run(python, ['-m', 'venv', environment]);
    const own = join(environment, 'bin/python');
    await run(own, ['-m', 'pip', 'install', '--quiet', wheel]);
    for (const page of ['clients/python/README.md', 'docs/clients.md']) {
      for (const program of programs(page)) {
        writeFileSync(join(folder, 'program.py'), program);
        const { stdout } = await run(own, ['program.py'], {
          cwd: folder,
          env: { PATH: process.env.PATH, VERDICT_ADDRESS: server.address },
        });
        assert.match(stdout, /^POSITIVE/, page);
        assert.match(stdout, /NEGATIVE/, page);
      }
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

    const secured = await securedServer(t, folder);
    const { stderr } = await run(python, ['-m', 'unittest', 'discover', 'tests'], {
      cwd: folder,
      env: { PATH: process.env.PATH, PYTHONPATH: installed, ...secured, VERDICT_ADDRESS: server.address },
    });
    assert.match(stderr, /^Ran \d{2} tests[\s\S]*^OK$/m);
  });
});

/** A server with TLS that asks for keys, as the tests want to be told of it. */
async function securedServer(t: TestContext, folder: string): Promise<Record<string, string>> {
  const authority = new Authority();
  const keys = new TestKeyFile(folder);
  const key = keys.add('python');
  keys.write();
  const server = await ServerProcess.start({
    ...new TlsFiles(t, serverPair(authority)).settings,
    VERDICT_API_KEYS_FILE: keys.path,
  });
  t.after(() => server.stop());
  const ca = join(folder, 'authority.pem');
  writeFileSync(ca, authority.cert);
  return { VERDICT_TLS_ADDRESS: server.address, VERDICT_CA: ca, VERDICT_TEST_KEY: key };
}

async function buildWheel(python: string, folder: string): Promise<string> {
  const out = join(folder, 'wheel');
  const flags = ['--quiet', '--no-deps', '--no-build-isolation', '--wheel-dir', out];
  await run(python, ['-m', 'pip', 'wheel', ...flags, client]);
  const [name = ''] = readdirSync(out);
  assert.match(name, /^verdict_grpc-\d.*-py3-none-any\.whl$/);
  return join(out, name);
}

/** The blocks of Python that use the package; a page may also show generated code. */
function programs(page: string): string[] {
  const text = readFileSync(join(repositoryRoot, page), 'utf8');
  const blocks = Array.from(text.matchAll(/^```python\n(.*?)^```/gms), ([, block = '']) => block);
  const found = blocks.filter((block) => block.includes('from verdict_grpc import'));
  assert.equal(found.length, 1, page);
  return found;
}
