import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { documentedProgram } from '../../support/documented-program.js';
import { moderationOfTopics } from '../../support/moderator.js';
import { PublishedModels } from '../../support/published-models.js';
import { repositoryRoot } from '../../support/repository.js';
import type { ServerProcess } from '../../support/server-process.js';
import { suiteCleanup } from '../../support/suite-cleanup.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { requireTool, type ToolName } from '../../support/tool.js';

const run = promisify(execFile);

/** The programs in Python, by what they import, and what they print. */
const programs: readonly (readonly [imported: RegExp, tool: ToolName, printed: RegExp])[] = [
  [/^import tritonclient\.grpc/m, 'python-triton', /POSITIVE[\s\S]*NEGATIVE[\s\S]*\[\[0\.9/],
  [/^import tritonclient\.http/m, 'python-triton', /POSITIVE[\s\S]*NEGATIVE/],
  [/^from mlserver/m, 'python-mlserver', /^\['POSITIVE', 'NEGATIVE'\] \[\[0\.9/],
  [/^from tei\.v1/m, 'python-grpc', /^\[\('POSITIVE', 0\.9/],
  [/^from huggingface_hub/m, 'python-clients', /label='POSITIVE'/],
  [/^from openai/m, 'python-clients', /^True\n$/],
];

describe('the clients of other systems in docs/clients.md', () => {
  const cleanup = suiteCleanup();
  const folder = temporaryFolder({ after });
  let server: ServerProcess;

  before(async () => {
    const models = await PublishedModels.create(cleanup);
    await models.publish('sentiment/1', 'sentiment');
    await models.publish('comments/1', 'topics', async (version) =>
      writeFileSync(join(version, 'verdict.yaml'), moderationOfTopics),
    );
    server = await models.serve(cleanup, 'sentiment');
  });

  /** The program, which calls this server in place of the one on its user's machine. */
  function programFor(language: string, words: RegExp): string {
    return documentedProgram(language, words)
      .replace('127.0.0.1:50051', server.address)
      .replace(/(localhost|127\.0\.0\.1):8000/, new URL(server.httpUrl).host);
  }

  for (const [imported, tool, printed] of programs) {
    it(`answer with ${imported.source}`, async (t) => {
      const python = await requireTool(t, tool);
      if (python === undefined) return;
      if (tool === 'python-grpc') {
        const protos = join(repositoryRoot, 'proto');
        const outputs = [`--python_out=${folder}`, `--grpc_python_out=${folder}`];
        await run(python, ['-m', 'grpc_tools.protoc', '-I', protos, ...outputs, 'tei/v1/tei.proto']);
      }
      const program = join(folder, 'program.py');
      writeFileSync(program, programFor('python', imported));
      const { stdout } = await run(python, [program], { cwd: folder, timeout: 60_000 });
      assert.match(stdout, printed);
    });
  }

  it("answer with OpenAI's client for Node.js", async () => {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(join(repositoryRoot, 'node_modules/openai'), join(folder, 'node_modules/openai'));
    writeFileSync(join(folder, 'program.mjs'), programFor('js', /^import OpenAI/m));
    const { stdout } = await run(process.execPath, ['program.mjs'], { cwd: folder, timeout: 60_000 });
    assert.equal(stdout, 'true\n');
  });
});
