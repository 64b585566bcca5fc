import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { documentedProgram } from '../../support/documented-program.js';
import { repositoryRoot } from '../../support/repository.js';
import { Service } from '../../support/service.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { requireTool } from '../../support/tool.js';

const run = promisify(execFile);

const example = join(repositoryRoot, 'examples/rust');
/** Kept between runs: a minute's work of two cores. */
const compiled = join(repositoryRoot, '.tools/cargo-target');

describe('the Rust program of docs/clients.md', () => {
  for (const file of ['build.rs', 'src/main.rs'])
    it(`is that of examples/rust: ${file}`, () => {
      const text = readFileSync(join(example, file), 'utf8');
      const firstLine = text.slice(0, text.indexOf('\n'));
      assert.equal(documentedProgram('rust', firstLine), text);
    });

  it('is generated and compiled by cargo, and asks a real server', async (t) => {
    const cargo = await requireTool(t, 'cargo');
    const python = await requireTool(t, 'python-grpc');
    if (cargo === undefined || python === undefined) return;
    const service = await Service.start(['topics']);
    t.after(() => service.stop());
    const { stdout } = await run(cargo, ['run', '--quiet', '--locked'], {
      cwd: example,
      env: {
        ...process.env,
        VERDICT_ADDRESS: service.server.address,
        PROTOC: protocOf(t, python),
        CARGO_TARGET_DIR: compiled,
        CARGO_PROFILE_DEV_DEBUG: '0',
      },
    });
    const { label } = await service.client.classify('a gripping film');
    assert.match(stdout, new RegExp(`^${label} 0\\.\\d+\\n$`));
  });
});

/** The protoc of grpcio-tools, as a program of its own. */
function protocOf(t: TestContext, python: string): string {
  const path = join(temporaryFolder(t), 'protoc');
  writeFileSync(path, `#!/bin/sh\nexec '${python}' -m grpc_tools.protoc "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}
