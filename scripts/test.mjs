// `npm test`: provides the tools that the tests need, builds, checks (generated code, lint, docs), runs every test.
// Ends with a non-zero code at the first step that fails.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join('node_modules/.bin', name);

// The test runner gives each file a process; a file starts servers of its own, so few run side by side.
const TEST_CONCURRENCY = 2;
// For a whole file too: the one that runs every benchmark once starts some twenty servers.
const TEST_TIMEOUT_MS = 300_000;

function step(title, command, args) {
  console.log(`\n# ${title}`);
  const startedAt = Date.now();
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
  });
  if (error) console.error(error.message);
  if (status !== 0) {
    console.error(`\n# ${title}: failed`);
    process.exit(status ?? 1);
  }
  console.log(`# ${title}: ok in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

function testFiles() {
  const folder = join(root, 'dist/test');
  const only = process.argv.slice(2);
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) => only.length === 0 || only.some((part) => name.includes(part)))
    .map((name) => join('dist/test', name))
    .sort();
}

const baseline = readdirSync(join(root, 'proto/baseline')).sort().at(-1);

step('tools', process.execPath, ['scripts/tools/provision.mjs']);
step('build', process.execPath, ['scripts/build.mjs', '--clean']);
step('buf lint', bin('buf'), ['lint']);
step(`buf breaking against ${baseline}`, bin('buf'), [
  'breaking',
  'proto',
  '--against',
  join('proto/baseline', baseline),
]);
step('generated code is up to date', process.execPath, ['scripts/generate.mjs', '--check']);
step('format and lint', bin('biome'), ['check', '--error-on-warnings', '.']);
step('lint with types', bin('oxlint'), ['--type-aware', '--deny-warnings']);
step('deploy/compose/envoy.yaml is up to date', process.execPath, ['scripts/envoy-compose.mjs', '--check']);
step('docs are up to date', process.execPath, ['scripts/docs.mjs', '--check']);
step('tests', process.execPath, [
  '--test',
  `--test-concurrency=${TEST_CONCURRENCY}`,
  `--test-timeout=${TEST_TIMEOUT_MS}`,
  ...testFiles(),
]);
