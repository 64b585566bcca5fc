import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { EnvoyProcess } from '../support/envoy-process.js';
import { repositoryRoot } from '../support/repository.js';
import { ServerProcess } from '../support/server-process.js';
import { requireTool } from '../support/tool.js';

const run = promisify(execFile);

const TEXTS = ['a gripping film', '  ', 'two hours of my life gone'];

/** Runs a program with the texts as the lines of its standard input. */
async function withTexts(
  program: string,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly cwd?: string },
): Promise<string[]> {
  const running = run(program, args, options);
  running.child.stdin?.end(TEXTS.map((text) => `${text}\n`).join(''));
  const { stdout } = await running;
  return stdout.trimEnd().split('\n');
}

describe('the examples, against a real server', () => {
  let server: ServerProcess;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    server = await ServerProcess.start();
    env = { PATH: process.env.PATH, HOME: process.env.HOME, VERDICT_ADDRESS: server.address };
  });

  after(() => server.stop());

  async function scratch(t: TestContext): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'verdict-examples-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  it('TypeScript: a stream of lines', async () => {
    // A Node.js that runs TypeScript runs the source, as examples/README.md says.
    const path =
      'typescript' in process.features
        ? 'examples/typescript/stream.ts'
        : 'dist/examples/typescript/stream.js';
    const program = join(repositoryRoot, path);
    const lines = await withTexts(process.execPath, [program], { env });
    assert.equal(lines.length, 3);
    assert.match(lines[0] ?? '', /^POSITIVE\t0\.\d{3}\ta gripping film$/);
    assert.match(lines[1] ?? '', /^INVALID_ARGUMENT\t-\t {2}$/);
    assert.match(lines[2] ?? '', /^NEGATIVE\t0\.\d{3}\ttwo hours of my life gone$/);
  });

  it('Python: asyncio, with code generated as docs/clients.md says', async (t) => {
    const python = await requireTool(t, 'python-grpc');
    if (python === undefined) return;
    const folder = await scratch(t);
    const protos = ['classification', 'classifier_service', 'model_service'].map((name) =>
      join(repositoryRoot, `proto/verdict/v1/${name}.proto`),
    );
    const includes = ['-I', join(repositoryRoot, 'proto')];
    const outputs = [`--python_out=${folder}`, `--grpc_python_out=${folder}`];
    await run(python, ['-m', 'grpc_tools.protoc', ...includes, ...outputs, ...protos]);
    const program = join(folder, 'classify_many.py');
    await cp(join(repositoryRoot, 'examples/python/classify_many.py'), program);
    const lines = await withTexts(python, [program], { env });
    assert.equal(lines.length, 3);
    assert.match(lines[0] ?? '', /^POSITIVE\t0\.\d{3}\ta gripping film$/);
    assert.match(lines[1] ?? '', /^INVALID_ARGUMENT\t-\t {2}$/);
    assert.match(lines[2] ?? '', /^NEGATIVE\t0\.\d{3}\ttwo hours of my life gone$/);
  });

  it('Go: a stream of lines', async (t) => {
    const go = await requireTool(t, 'go');
    if (go === undefined) return;
    const folder = await scratch(t);
    const example = join(repositoryRoot, 'examples/go');
    try {
      await run(go, ['-C', example, 'mod', 'download']);
    } catch (error) {
      if (process.env.CI === 'true') throw error;
      t.skip(`the libraries of examples/go cannot be downloaded: ${String(error)}`);
      return;
    }
    await run(go, ['-C', example, 'vet', '-mod=readonly', '.']);
    await run(go, ['-C', example, 'build', '-mod=readonly', '-o', join(folder, 'classify'), '.']);
    const lines = await withTexts(join(folder, 'classify'), [], { env });
    assert.equal(lines.length, 3);
    assert.match(lines[0] ?? '', /^POSITIVE\t0\.\d{3}\tline 1$/);
    assert.equal(lines[1], 'InvalidArgument\t-\tline 2');
    assert.match(lines[2] ?? '', /^NEGATIVE\t0\.\d{3}\tline 3$/);
  });

  it('curl: JSON, through Envoy', async (t) => {
    if ((await requireTool(t, 'curl')) === undefined || (await requireTool(t, 'envoy')) === undefined) return;
    const envoy = await EnvoyProcess.start(server.address);
    t.after(() => envoy.stop());
    const script = join(repositoryRoot, 'examples/curl/classify.sh');
    const { stdout } = await run(script, { env: { ...env, VERDICT_URL: envoy.url } });
    const [one, several] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(one.classification.predictions[0].label, 'POSITIVE');
    assert.equal(several.results[0].classification.predictions[0].label, 'POSITIVE');
    assert.equal(several.results[1].error.code, 3);
  });
});
