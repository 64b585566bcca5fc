// `npm test`: provides the tools that the tests need, builds, checks (generated code, lint, docs), runs every test.
// Ends with a non-zero code at the first step that fails. With CI=true, on the oldest Node.js that is supported, the
// tests run a second time on the Node.js of the image.
//   PART ...         builds and runs the test files whose path contains one of the parts; no checks
//   --unit           builds and runs the unit tests, or those of the parts
//   --e2e            builds and runs the tests that start servers, or those of the parts
//   --integrations   provides the tools of test/integrations, builds and runs those tests, or those of the parts;
//                    `npm test` leaves them out: their tools take minutes to fetch
//   --watch          as above, and again whenever a file changes; the unit tests unless told otherwise
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inGroups, testFiles, UNIT } from './test-files.mjs';
import { node24 } from './tools/node24.mjs';
import { integrationToolNames, provision } from './tools/provision.mjs';
import { watchTests } from './watch-tests.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join('node_modules/.bin', name);

// The test runner gives each file a process. A file waits for a quarter of its time, so three keep two cores busy; each starts servers of
// its own, so no more run side by side.
const TEST_CONCURRENCY = 3;
// For a whole file too: the one that runs every benchmark once starts some twenty servers.
const TEST_TIMEOUT_MS = 300_000;
// A step that takes longer hangs: the slowest, the tests that start servers, takes some twenty minutes in CI.
const STEP_TIMEOUT_MS = 2_400_000;

/** Left out of the second run: they take long, and what they look at is the same on every Node.js. Files, or the beginnings of their paths. */
const ONCE_ONLY = [
  'e2e/bench.test.js',
  'e2e/chaos-',
  'e2e/docker-steps.test.js',
  'e2e/models-on-demand.test.js',
  'e2e/openapi.test.js',
  'e2e/profile.test.js',
  'hostile/reload-storm.test.js',
  'integration/models/families.test.js',
  'integration/models/state-file-killed.test.js',
  'integration/sources/add-families.test.js',
];

/**
 * Left out unless CI=true: floods, kills, hostile callers and benchmarks, which take as long as all others together; and what builds
 * packages and images, or repeats for `models add` what other tests show of each family.
 */
const CI_ONLY = [
  'e2e/bench.test.js',
  'e2e/chaos-',
  'e2e/client-package.test.js',
  'e2e/docker-steps.test.js',
  'e2e/envoy-replicas.test.js',
  'e2e/models-on-demand.test.js',
  'e2e/openapi.test.js',
  'e2e/profile.test.js',
  'e2e/reload-memory.test.js',
  'hostile/',
  'integration/models/state-file-killed.test.js',
  'integration/sources/add-families.test.js',
];

const isAmong = (paths, file) => paths.some((path) => file.startsWith(`dist/test/${path}`));

function step(title, command, args, env = process.env) {
  console.log(`\n# ${title}`);
  const startedAt = Date.now();
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    timeout: STEP_TIMEOUT_MS,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...env, PATH: `${join(root, 'node_modules/.bin')}${delimiter}${env.PATH}` },
  });
  if (error) console.error(error.message);
  if (status !== 0) {
    console.error(`\n# ${title}: failed`);
    process.exit(status ?? 1);
  }
  console.log(`# ${title}: ok in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

function runTests(title, files, { node = process.execPath, concurrency = TEST_CONCURRENCY, env } = {}) {
  const limits = [`--test-concurrency=${concurrency}`, `--test-timeout=${TEST_TIMEOUT_MS}`];
  step(title, node, ['--import=./scripts/end-after-tests.mjs', '--test', ...limits, ...files], env);
}

/** The unit tests wait more than they compute, so their few processes all run side by side. */
function runUnitTests(title, files, { node, env } = {}) {
  const groups = inGroups(files);
  runTests(title, groups, { node, env, concurrency: groups.length });
}

function check() {
  const baseline = readdirSync(join(root, 'proto/baseline')).sort().at(-1);
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
  if (process.env.CI === 'true') step('audit of the dependencies', process.execPath, ['scripts/audit.mjs']);
}

/** CI has one machine, with the oldest Node.js: the second run shows that the newer one of the image does too. */
async function testOnNode24() {
  const found = await provision(node24);
  if ('unavailable' in found) {
    console.error(`\n# ${node24} is unavailable: ${found.unavailable}`);
    process.exit(1);
  }
  // Tests start `node`, and programs whose first line asks for it, from the PATH.
  const folder = join(dirname(found.path), '..', node24, 'bin');
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
  const options = { node: join(folder, 'node'), env };
  runUnitTests(`unit tests on ${node24}`, testFiles(['unit']), options);
  const others = testFiles(['e2e']).filter((file) => !isAmong(ONCE_ONLY, file));
  runTests(`other tests on ${node24}`, others, options);
}

function withoutCiOnly(tests) {
  if (process.env.CI === 'true') return tests;
  const kept = tests.filter((file) => !isAmong(CI_ONLY, file));
  console.log(
    `\n# skipped, since they run with CI=true: ${tests.length - kept.length} files of ${CI_ONLY.join(', ')}`,
  );
  console.log('# npm test -- PART runs those whose path contains it: npm test -- hostile');
  return kept;
}

function isOldestNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return /\d+/.exec(engines.node)?.[0] === process.versions.node.split('.')[0];
}

const { values, positionals: parts } = parseArgs({
  allowPositionals: true,
  options: {
    unit: { type: 'boolean', default: false },
    e2e: { type: 'boolean', default: false },
    integrations: { type: 'boolean', default: false },
    watch: { type: 'boolean', default: false },
  },
});
const asked = ['unit', 'e2e', 'integrations'].filter((kind) => values[kind]);
const isWhole = asked.length === 0 && parts.length === 0;
const build = (...flags) => step('build', process.execPath, ['scripts/build.mjs', ...flags]);

if (isWhole && !values.watch) {
  step('tools', process.execPath, ['scripts/tools/provision.mjs']);
  build('--clean');
  check();
} else {
  if (values.integrations)
    step('tools', process.execPath, ['scripts/tools/provision.mjs', ...integrationToolNames]);
  build();
}

function kindsToRun() {
  if (asked.length > 0) return asked;
  if (parts.length > 0) return ['unit', 'e2e', 'integrations'];
  return values.watch ? ['unit'] : ['unit', 'e2e'];
}

const files = testFiles(kindsToRun(), parts);
if (files.length === 0) {
  console.error(`no test file is called like ${parts.join(' or ')}`);
  process.exit(1);
}
if (values.watch) await watchTests(files);
else {
  const units = files.filter((file) => file.startsWith(UNIT));
  const others = files.filter((file) => !file.startsWith(UNIT));
  if (units.length > 0) runUnitTests('unit tests', units);
  if (others.length > 0) runTests('other tests', isWhole ? withoutCiOnly(others) : others);
  if (isWhole && process.env.CI === 'true' && isOldestNode()) await testOnNode24();
}
