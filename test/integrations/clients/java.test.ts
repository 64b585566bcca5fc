import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify, stripVTControlCharacters } from 'node:util';
import { documentedProgram } from '../../support/documented-program.js';
import { repositoryRoot } from '../../support/repository.js';
import { Service } from '../../support/service.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { requireTool } from '../../support/tool.js';

const run = promisify(execFile);

const example = join(repositoryRoot, 'examples/java');
/** Kept between runs: a hundred megabytes of libraries and plugins. */
const libraries = join(repositoryRoot, '.tools/maven');

describe('the Java program of docs/clients.md', () => {
  it('is that of examples/java', () => {
    const program = readFileSync(join(example, 'src/main/java/Classify.java'), 'utf8');
    assert.equal(documentedProgram('java'), program);
  });

  it('is generated and compiled by Maven, and asks a real server', async (t) => {
    const mvn = await requireTool(t, 'mvn');
    if (mvn === undefined) return;
    const service = await Service.start(['topics']);
    t.after(() => service.stop());
    const folder = temporaryFolder(t);
    await cp(example, folder, { recursive: true, filter: (path) => !path.endsWith('target') });
    const settings = [`-Dmaven.repo.local=${libraries}`, `-Dverdict.proto=${join(repositoryRoot, 'proto')}`];
    const { stdout } = await run(mvn, ['--batch-mode', '--quiet', ...settings, 'compile', 'exec:java'], {
      cwd: folder,
      env: { ...process.env, VERDICT_ADDRESS: service.server.address },
    });
    const { label } = await service.client.classify('a gripping film');
    // Some releases of Maven reset the terminal's colours around what the program prints, wherever that goes.
    assert.match(stripVTControlCharacters(stdout), new RegExp(`^${label} 0\\.\\d+$`, 'm'));
  });
});
