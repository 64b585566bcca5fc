import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { npmEnvironment, npmInstall } from '../../support/npm.js';
import { repositoryRoot } from '../../support/repository.js';
import { ScopeRegistry } from '../../support/scope-registry.js';
import { stagePackages } from '../../support/staged-packages.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const run = promisify(execFile);

const SERVER = '@verdict-grpc/server';
const MAX_INSTALLED_BYTES = 180 * 2 ** 20;
/** `npx` with an empty cache fetches everything first. */
const START_TIMEOUT_MS = 240_000;

describe("the server's package, published to a registry and installed from it", () => {
  let registry: ScopeRegistry;
  let folder: string;
  let npmrc: string;
  let packages: string[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verdict-published-'));
    registry = await ScopeRegistry.start('@verdict-grpc');
    npmrc = join(folder, 'npmrc');
    await writeFile(npmrc, registry.npmrc);
    packages = await stagePackages(join(folder, 'staged'), []);
    for (const staged of packages) await registry.publish(staged, npmrc);
  });

  after(async () => {
    registry.stop();
    await rm(folder, { recursive: true });
  });

  it('is one of those that the release publishes: all that are made', () => {
    const { jobs }: { jobs: { npm: { steps: { run?: string }[] } } } = parse(
      readFileSync(join(repositoryRoot, '.github/workflows/release.yml'), 'utf8'),
    );
    const loop = jobs.npm.steps.map(({ run: command = '' }) => /for name in (.+); do/.exec(command)?.[1]);
    const published = loop.find((names) => names !== undefined)?.split(' ') ?? [];
    assert.deepEqual(published.sort(), packages.map((staged) => basename(staged)).sort());
  });

  it('installs with scripts off; holds what runs, and one library of ONNX Runtime; serves and classifies', async (t) => {
    const project = await emptyProject(t);
    const unavailable = await npmInstall(project, [`--userconfig=${npmrc}`, '--ignore-scripts', SERVER]);
    if (unavailable !== '') return t.skip(unavailable);
    const modules = join(project, 'node_modules');
    const paths = readdirSync(modules, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      paths.filter((path) => path.includes('libonnxruntime')).map((path) => path.split('/bin/')[0]),
      [`@verdict-grpc/onnxruntime-${process.platform}-${process.arch}`],
    );
    const bytes = paths.reduce((sum, path) => sum + statSync(join(modules, path)).size, 0);
    assert.ok(bytes < MAX_INSTALLED_BYTES, `${bytes} bytes are installed`);
    const own = readdirSync(join(modules, SERVER), { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      own.filter((path) => /(^|\/)(test|bench|examples|training)\/|\.ts$|\.tsbuildinfo$/.test(path)),
      [],
    );
    const { packages }: { packages: Record<string, { hasInstallScript?: boolean }> } = JSON.parse(
      readFileSync(join(modules, '.package-lock.json'), 'utf8'),
    );
    // Swagger UI and the Hub's library bring what is left: one counts installations, one compares versions. Neither needs a network.
    assert.deepEqual(
      Object.keys(packages).filter((path) => packages[path]?.hasInstallScript),
      ['node_modules/@scarf/scarf', 'node_modules/protobufjs'],
    );

    const command = join(modules, '.bin/verdict');
    const { address } = await serve(t, command, ['serve'], project);
    const { stdout } = await run(command, ['classify', '--address', address, 'a gripping film']);
    assert.match(stdout, /POSITIVE/);
  });

  it('installs with scripts on and starts by npx, with nothing in the cache', async (t) => {
    const project = await emptyProject(t);
    const cache = join(project, '..', 'cache');
    const args = ['--yes', '--ignore-scripts=false', `--userconfig=${npmrc}`, `--cache=${cache}`, SERVER];
    const { address } = await serve(t, 'npx', [...args, 'serve'], project);
    const asked = await run('npx', [...args, 'classify', '--address', address, 'a gripping film'], {
      cwd: project,
      env: npmEnvironment(),
    });
    assert.match(asked.stdout, /POSITIVE/);
  });
});

async function emptyProject(t: TestContext): Promise<string> {
  const folder = join(temporaryFolder(t), 'project');
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{"private":true}\n');
  return folder;
}

/** Starts the server and waits until it says that it serves; it ends with the test. */
async function serve(
  t: TestContext,
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ address: string }> {
  const child = spawn(command, args, {
    cwd,
    // A group of its own: npx starts the server as a child.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...npmEnvironment(),
      VERDICT_PORT: '0',
      VERDICT_ADMIN_PORT: '0',
      VERDICT_HTTP_PORT: '0',
      VERDICT_DRAIN_GRACE_MS: '0',
    },
  });
  t.after(() => stop(child));
  const complaints: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => complaints.push(chunk));
  const timer = setTimeout(() => kill(child, 'SIGKILL'), START_TIMEOUT_MS);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const entry: { msg?: string; address?: string } = line.startsWith('{') ? JSON.parse(line) : {};
      if (entry.msg !== 'serving') continue;
      child.stdout.resume();
      return { address: String(entry.address) };
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error(`the server ended before it served: ${complaints.join('')}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  kill(child, 'SIGTERM');
  await ended;
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal);
}
