// `npm run audit`: asks the registry for known vulnerabilities of the packages that the service needs at run time, and for
// the signatures of all packages that are installed. Ends with 1 where a vulnerability is high or critical, or a
// signature is wrong. A registry that does not answer, or has no such service, fails nothing: what was not checked is
// named, with the reason.
//   node scripts/audit.mjs [vulnerabilities] [signatures] [--timeout-ms 60000]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runNpm } from './run-npm.mjs';
import { withRunTimeProject } from './run-time-project.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'timeout-ms': { type: 'string', default: '60000' } },
});
const timeoutMs = Number(values['timeout-ms']);
const checks = { vulnerabilities, signatures };

async function vulnerabilities() {
  const report = await ask('vulnerabilities of the packages at run time', (npm) =>
    withRunTimeProject((project) => npm(['audit', '--package-lock-only'], project)),
  );
  if (report === undefined) return;
  const found = Object.values(report.vulnerabilities);
  for (const { name, severity, via } of found)
    console.log(`${severity}: ${name} (${via.map(reasonOf).join(', ')})`);
  const grave = found.filter(({ severity }) => severity === 'high' || severity === 'critical');
  console.log(`# vulnerabilities: ${found.length} packages, ${grave.length} of them high or critical`);
  if (grave.length > 0) process.exitCode = 1;
}

async function signatures() {
  const report = await ask('signatures of the packages', (npm) => npm(['audit', 'signatures'], root));
  if (report === undefined) return;
  for (const { name, version } of report.invalid) console.log(`wrong signature: ${name} ${version}`);
  console.log(`# signatures: ${report.invalid.length} wrong, ${report.missing.length} missing`);
  if (report.invalid.length > 0) process.exitCode = 1;
}

/** What npm reports; undefined where it could not ask, which is said. */
async function ask(what, run) {
  // npm would try three times by itself, and wait longer each time.
  const flags = ['--json', '--fetch-retries=0', `--fetch-timeout=${timeoutMs}`];
  const { stdout, trouble } = await run((args, cwd) => runNpm([...args, ...flags], { cwd, timeoutMs }));
  const report = parsed(stdout);
  if (report?.vulnerabilities !== undefined || report?.invalid !== undefined) return report;
  const why =
    report?.message ?? report?.error?.summary ?? trouble ?? 'npm printed something else than a report';
  console.log(`# not checked: ${what}: ${why.trim().split('\n')[0]}`);
  return undefined;
}

/** Where a vulnerability is described; for a package that only needs a vulnerable one, the name of that. */
function reasonOf(via) {
  return typeof via === 'string' ? via : via.url;
}

function parsed(stdout) {
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

for (const name of positionals.length > 0 ? positionals : Object.keys(checks)) {
  const check = checks[name];
  if (check === undefined) throw new Error(`${name} is no check: ${Object.keys(checks).join(', ')}`);
  await check();
}
