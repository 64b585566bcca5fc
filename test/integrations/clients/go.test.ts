import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../support/repository.js';
import { ServerProcess } from '../../support/server-process.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { requireTool } from '../../support/tool.js';

const run = promisify(execFile);

const MODULE = 'github.com/verdict-grpc/verdict/clients/go';
const client = join(repositoryRoot, 'clients/go');

const sources = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.go'))
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );

describe("the Go client's module", () => {
  it('is what the contract generates', async (t) => {
    if ((await requireTool(t, 'go')) === undefined) return;
    const out = temporaryFolder(t);
    await run(process.execPath, [join(repositoryRoot, 'scripts/generate-go.mjs'), '--out', out]);
    assert.deepEqual(sources(client), sources(join(out, 'clients/go')), 'run npm run generate');
  });

  it('builds, and lets the program of docs/clients.md ask a real server', async (t) => {
    const go = await requireTool(t, 'go');
    if (go === undefined) return;
    const server = await ServerProcess.start();
    t.after(() => server.stop());
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'main.go'), goProgram());
    await run(go, ['mod', 'init', 'example.org/caller'], { cwd: folder });
    await run(go, ['mod', 'edit', `-replace=${MODULE}=${client}`], { cwd: folder });
    await run(go, ['mod', 'tidy'], { cwd: folder });
    await run(go, ['vet', './...'], { cwd: folder });
    const { stdout } = await run(go, ['run', '.'], {
      cwd: folder,
      env: { ...process.env, VERDICT_ADDRESS: server.address },
    });
    assert.match(stdout, /^POSITIVE 0\.9\d+\n$/);
  });

  it('can also be made by plain protoc, with what a clone holds and nothing else', async (t) => {
    const python = await requireTool(t, 'python-grpc');
    const go = await requireTool(t, 'go');
    if (python === undefined || go === undefined) return;
    const folder = temporaryFolder(t);
    const plugin = await builtPlugin(t, go);
    const protos = readdirSync(join(repositoryRoot, 'proto/verdict/v1')).map((name) => `verdict/v1/${name}`);
    await run(python, [
      ...['-m', 'grpc_tools.protoc', '-I', join(repositoryRoot, 'proto'), `--plugin=${plugin}`],
      ...[`--go_out=${folder}`, `--go_opt=module=${MODULE}`, ...protos],
    ]);
    const messages = Object.keys(sources(folder)).sort();
    assert.deepEqual(
      messages,
      protos.map((path) => path.replace(/\.proto$/, '.pb.go')),
    );
  });
});

async function builtPlugin(t: TestContext, go: string): Promise<string> {
  const path = join(temporaryFolder(t), 'protoc-gen-go');
  await run(go, ['build', '-o', path, 'google.golang.org/protobuf/cmd/protoc-gen-go'], { cwd: client });
  return path;
}

function goProgram(): string {
  const page = readFileSync(join(repositoryRoot, 'docs/clients.md'), 'utf8');
  const program = /^```go\n(.*?)^```/ms.exec(page)?.[1];
  assert.ok(program, 'docs/clients.md has no Go program');
  return program;
}
