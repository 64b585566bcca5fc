import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { EmptyProject } from '../support/empty-project.js';
import { repositoryRoot } from '../support/repository.js';
import { ServerProcess } from '../support/server-process.js';

const run = promisify(execFile);
const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc');

const MAX_INSTALLED_BYTES = 25 * 1024 * 1024;

/** Fails to compile where a type is missing, or is `any`. */
const TYPES = `
import {
  type BatchResult,
  type Classification,
  type StreamResult,
  VerdictClient,
  VerdictClientError,
  type VerdictClientOptions,
} from '@verdict-grpc/client';

const options: VerdictClientOptions = { address: 'unix:/nowhere', tls: { ca: 'pem' }, retry: { maxAttempts: 1 } };
const client: VerdictClient = new VerdictClient(options);
export const one = (): Promise<Classification> => client.classify({ text: 'a', textPair: 'b' }, { topK: 2 });
export const many = (): Promise<BatchResult[]> => client.classifyBatch(['a']);
export async function rows(): Promise<number[]> {
  const found: number[] = [];
  for await (const result of client.classifyStream([{ text: 'a', row: 1 }])) {
    const typed: StreamResult<{ text: string; row: number }> = result;
    found.push(typed.item.row);
  }
  return found;
}
export const reason = (error: unknown): string => (error instanceof VerdictClientError ? error.reason : '');
// @ts-expect-error there is no such option
new VerdictClient({ adress: 'misspelt' });
// @ts-expect-error a label is no number
export const label = async (): Promise<number> => (await client.classify('a')).label;
`;

describe("the client's package, installed in an empty project", () => {
  let project: EmptyProject;
  let server: ServerProcess;
  let folder: string;

  before(async () => {
    project = await EmptyProject.with('client');
    folder = join(project.folder, 'node_modules/@verdict-grpc/client');
    if (project.unavailable === '') server = await ServerProcess.start();
  });

  after(async () => {
    await server?.stop();
    await project?.remove();
  });

  /** A test that is skipped, with the reason, where nothing could be installed. */
  function test(name: string, body: () => Promise<void> | void): void {
    it(name, (t) => {
      if (project.unavailable === '') return body();
      t.skip(project.unavailable);
    });
  }

  const compile = (file: string, flags: readonly string[]) =>
    run(process.execPath, [tsc, '--ignoreConfig', '--strict', '--target', 'es2023', ...flags, file], {
      cwd: project.folder,
    });

  test('is small, and brings nothing of the server', () => {
    const modules = join(project.folder, 'node_modules');
    const paths = readdirSync(modules, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      paths.filter((path) => /onnxruntime|\.node$/.test(path)),
      [],
    );
    const bytes = paths.reduce((sum, path) => sum + statSync(join(modules, path)).size, 0);
    assert.ok(bytes < MAX_INSTALLED_BYTES, `${bytes} bytes are installed`);
  });

  test('holds its licence, its readme, and the generated code that it needs', () => {
    assert.deepEqual(readdirSync(folder).sort(), ['LICENSE', 'README.md', 'dist', 'package.json']);
    assert.ok(statSync(join(folder, 'dist/generated/verdict/v1/classifier_service.js')).isFile());
  });

  test('has links that lead somewhere outside the clone, and names the folder that it is made of', () => {
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    const links = Array.from(readme.matchAll(/\]\(([^)]+)\)/g), ([, link]) => link);
    assert.deepEqual(
      links.filter((link) => !link?.startsWith('https://')),
      [],
    );
    const source = JSON.parse(readFileSync(join(repositoryRoot, 'clients/typescript/package.json'), 'utf8'));
    const { repository, scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    assert.deepEqual(repository, source.repository);
    assert.equal(scripts, undefined);
  });

  const resolutions = {
    nodenext: ['--module', 'nodenext'],
    bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'],
  };
  for (const [resolution, flags] of Object.entries(resolutions)) {
    test(`has types for moduleResolution ${resolution}, and none is missing in those that they build on`, async () => {
      writeFileSync(join(project.folder, 'types.ts'), TYPES);
      await compile('types.ts', [...flags, '--noEmit']);
    });

    test(`runs the program of its readme, compiled with moduleResolution ${resolution}`, async () => {
      const readme = readFileSync(join(repositoryRoot, 'clients/typescript/README.md'), 'utf8');
      const program = /^```ts\n(.*?)^```/ms.exec(readme)?.[1] ?? '';
      writeFileSync(join(project.folder, 'program.ts'), program);
      await compile('program.ts', [...flags, '--types', 'node']);
      const { stdout } = await run(process.execPath, ['program.js'], {
        cwd: project.folder,
        env: { PATH: process.env.PATH, VERDICT_ADDRESS: server.address },
      });
      const [answer, ...results] = stdout.trimEnd().split('\n');
      assert.match(answer ?? '', /^POSITIVE 0\.9\d/);
      assert.deepEqual(results, ['POSITIVE', 'text: must hold more than white space', 'NEGATIVE']);
    });
  }
});
