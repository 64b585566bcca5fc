import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../../../bin', import.meta.url));

/** A compiler that takes its time, counts its runs and fails on wish. */
const COMPILER = `
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
appendFileSync('builds.log', 'build\\n');
await new Promise((resolve) => setTimeout(resolve, 300));
if (existsSync('src/broken.ts')) {
  console.log('src/broken.ts(1,1): error TS1109');
  process.exit(2);
}
mkdirSync('dist/src/cli', { recursive: true });
writeFileSync('dist/src/cli/main.js', 'console.log("ran", process.argv.slice(2).join(" "))');
`;

/** A clone with that compiler, or without any. */
function clone({ compiler = true, sources = true } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'verdict-clone-'));
  cpSync(BIN, join(root, 'bin'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  writeFileSync(join(root, 'tsconfig.json'), '{}');
  if (sources) {
    mkdirSync(join(root, 'src', 'cli'), { recursive: true });
    writeFileSync(join(root, 'src', 'cli', 'main.ts'), '');
  }
  if (compiler) {
    const typescript = join(root, 'node_modules', 'typescript');
    mkdirSync(join(typescript, 'bin'), { recursive: true });
    writeFileSync(join(typescript, 'package.json'), '{"name":"typescript","type":"module"}');
    writeFileSync(join(typescript, 'bin', 'tsc'), COMPILER);
  }
  return {
    root,
    builds: () =>
      existsSync(join(root, 'builds.log'))
        ? readFileSync(join(root, 'builds.log'), 'utf8').trim().split('\n').length
        : 0,
    remove: () => rmSync(root, { recursive: true }),
  };
}

function verdict(root: string, ...argv: string[]) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [join(root, 'bin', 'verdict.js'), ...argv], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test('A fresh clone is built once, quietly, and run with its arguments', async () => {
  const { root, builds, remove } = clone();
  assert.deepEqual(await verdict(root, 'health', '--tls'), {
    code: 0,
    stdout: 'ran health --tls\n',
    stderr: '',
  });
  assert.deepEqual(await verdict(root), { code: 0, stdout: 'ran \n', stderr: '' });
  assert.equal(builds(), 1);
  remove();
});

test('A changed source is built again', async () => {
  const { root, builds, remove } = clone();
  await verdict(root);
  const later = new Date(Date.now() + 5_000);
  utimesSync(join(root, 'src', 'cli', 'main.ts'), later, later);
  await verdict(root);
  assert.equal(builds(), 2);
  remove();
});

test('Two at once build once', async () => {
  const { root, builds, remove } = clone();
  const [first, second] = await Promise.all([verdict(root, 'a'), verdict(root, 'b')]);
  assert.equal(first.stdout, 'ran a\n');
  assert.equal(second.stdout, 'ran b\n');
  assert.equal(builds(), 1);
  remove();
});

test('The lock of a process that died is no obstacle', async () => {
  const { root, remove } = clone();
  mkdirSync(join(root, 'dist'));
  const { code: pid } = await new Promise<{ code: number }>((resolve) => {
    const child = execFile(process.execPath, ['-e', ''], () => resolve({ code: child.pid ?? 0 }));
  });
  writeFileSync(join(root, 'dist', '.building'), `${pid}\n`);
  assert.equal((await verdict(root)).code, 0);
  remove();
});

test('A build that fails shows the errors and runs nothing', async () => {
  const { root, builds, remove } = clone();
  writeFileSync(join(root, 'src', 'broken.ts'), '');
  const { code, stdout, stderr } = await verdict(root);
  assert.equal(code, 70);
  assert.equal(stdout, '');
  assert.match(stderr, /error TS1109.*the build failed/s);
  assert.equal((await verdict(root)).code, 70);
  assert.equal(builds(), 2);
  remove();
});

test('A clone without TypeScript says what to do', async () => {
  const { root, remove } = clone({ compiler: false });
  const { code, stderr } = await verdict(root);
  assert.equal(code, 70);
  assert.match(stderr, /npm ci/);
  remove();
});

test('An installed package, which has no sources, is run as it is', async () => {
  const { root, builds, remove } = clone({ sources: false });
  mkdirSync(join(root, 'dist', 'src', 'cli'), { recursive: true });
  writeFileSync(join(root, 'dist', 'src', 'cli', 'main.js'), 'console.log("installed")');
  assert.deepEqual(await verdict(root), { code: 0, stdout: 'installed\n', stderr: '' });
  assert.equal(builds(), 0);
  remove();
});
