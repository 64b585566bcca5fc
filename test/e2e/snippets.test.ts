import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { repositoryRoot } from '../support/repository.js';
import { runToEnd } from '../support/run-to-end.js';
import { ServerProcess } from '../support/server-process.js';
import { requireTool } from '../support/tool.js';

const run = promisify(execFile);

/** The first block of that language in a page that holds the word. */
async function block(page: string, language: string, word = ''): Promise<string> {
  const text = await readFile(join(repositoryRoot, page), 'utf8');
  const found = text.split('```').find((part) => part.startsWith(`${language}\n`) && part.includes(word));
  assert.ok(found !== undefined, `${page} has no ${language} block`);
  return found.slice(language.length + 1);
}

describe('the snippets of the docs, against a real server', () => {
  let server: ServerProcess;
  let folder: string;

  before(async () => {
    server = await ServerProcess.start();
    // Inside the repository, so that '@verdict-grpc/client' is found among its workspaces.
    folder = await mkdtemp(join(repositoryRoot, 'dist/snippets-'));
  });

  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  async function runTypeScript(page: string): Promise<string> {
    const source = join(folder, 'snippet.mts');
    await writeFile(source, await block(page, 'ts'));
    const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
    const flags =
      '--ignoreConfig --strict --module nodenext --target es2023 --types node --skipLibCheck'.split(' ');
    await run(process.execPath, [tsc, ...flags, source], { cwd: repositoryRoot });
    const { stdout } = await run(process.execPath, [join(folder, 'snippet.mjs')], {
      env: { PATH: process.env.PATH, VERDICT_ADDRESS: server.address },
    });
    return stdout;
  }

  it('the TypeScript of README.md classifies one text and a stream', async () => {
    const stdout = await runTypeScript('README.md');
    assert.match(stdout, /^POSITIVE 0\.9\d/m);
    assert.match(stdout, /^NEGATIVE/m);
  });

  it('the TypeScript of docs/clients.md runs to its end, and its examples are answered right', async () => {
    const lines = (await runTypeScript('docs/clients.md')).split('\n');
    assert.match(lines[0] ?? '', /^POSITIVE 0\.9\d/);
    assert.deepEqual(lines.slice(1, 4), ['POSITIVE', 'inputs[1].text: must not be empty', 'NEGATIVE']);
    assert.deepEqual(
      lines.slice(4, 8),
      [0, 250, 500, 750].map((row) => `${row} POSITIVE`),
    );
    assert.match(lines[8] ?? '', /^NOT_FOUND MODEL_NOT_FOUND/);
  });

  it('the request of docs/protocols.md over HTTP is answered right', async () => {
    const command = await block('docs/protocols.md', 'sh', '/v2/models/sentiment/infer');
    const body = /'(\{[^']*\})'/.exec(command)?.[1];
    const response = await fetch(`${server.httpUrl}/v2/models/sentiment/infer`, {
      method: 'POST',
      body: body ?? '',
    });
    const { id, outputs } = (await response.json()) as { id: string; outputs: { data: string[] }[] };
    assert.deepEqual([id, outputs[0]?.data], ['1', ['POSITIVE', 'NEGATIVE', 'NEGATIVE', 'POSITIVE']]);
  });

  for (const page of ['README.md', 'docs/http.md', 'docs/protocols.md']) {
    it(`the lines of ${page} for curl and the HTTP port are answered`, async (t) => {
      if ((await requireTool(t, 'curl')) === undefined) return;
      const text = await readFile(join(repositoryRoot, page), 'utf8');
      const blocks = text
        .split('```')
        .filter((part) => part.startsWith('sh\n') && part.includes('localhost:8000'))
        .map((part) => part.slice('sh\n'.length));
      assert.ok(blocks.length > 0);
      for (const lines of blocks) {
        // Any code but 2xx fails.
        const command = lines
          .replaceAll('http://localhost:8000', 'localhost:8000')
          .replaceAll('localhost:8000', server.httpUrl)
          .replaceAll('curl -s', 'curl -f -s');
        const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', command], { timeout: 30_000 });
        assert.match(stdout, /"(POSITIVE|predictions)"/, lines);
      }
    });
  }

  it('the texts of docs/cli.md are answered right, the one with a dash too', async () => {
    const page = await readFile(join(repositoryRoot, 'docs/cli.md'), 'utf8');
    for (const [text, label] of [
      ['This movie was absolutely fantastic!', 'POSITIVE'],
      ['-5 degrees and a perfect day', 'POSITIVE'],
    ] as const) {
      assert.ok(page.includes(`"${text}"`), text);
      const { code, stdout } = await runToEnd('dist/src/cli/main.js', ['classify', '--', text], {
        env: { VERDICT_ADDRESS: server.address },
      });
      assert.equal(code, 0);
      assert.equal(JSON.parse(stdout).label, label);
    }
  });

  it('the Python of docs/clients.md runs with code generated as the page says', async (t) => {
    const python = await requireTool(t, 'python-grpc');
    if (python === undefined) return;
    const out = await mkdtemp(join(tmpdir(), 'verdict-python-'));
    try {
      const protos = ['classification', 'classifier_service', 'model_service'].map((name) =>
        join(repositoryRoot, `proto/verdict/v1/${name}.proto`),
      );
      await run(python, [
        '-m',
        'grpc_tools.protoc',
        '-I',
        join(repositoryRoot, 'proto'),
        `--python_out=${out}`,
        `--grpc_python_out=${out}`,
        ...protos,
      ]);
      await writeFile(
        join(out, 'snippet.py'),
        await block('docs/clients.md', 'python', 'ClassifierServiceStub'),
      );
      const { stdout } = await run(python, ['snippet.py'], {
        cwd: out,
        env: { PATH: process.env.PATH, VERDICT_ADDRESS: server.address },
      });
      assert.match(stdout, /^POSITIVE 0\.9\d/m);
      assert.match(stdout, /^0 POSITIVE\n1 failed: .*\n2 NEGATIVE$/m);
    } finally {
      await rm(out, { recursive: true });
    }
  });
});
