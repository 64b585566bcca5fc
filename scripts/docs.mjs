// Writes docs/configuration.md, the table of docs/metrics.md and the results in docs/benchmarks.md and docs/benchmarks/results.md from the built code in
// dist/ and the published results. `--check` writes nothing and fails when one is not up to date, or when
// docs/metrics.md names a metric that does not exist.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { publishedPage, publishedPageFiles } from '../dist/bench/report/published-page.js';
import { scenarios } from '../dist/bench/scenarios.js';
import { configFile, settings } from '../dist/src/config/settings.js';
import { createTelemetry } from '../dist/src/telemetry/create-telemetry.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');

const sectionTitles = {
  server: 'The gRPC port and its connections',
  tls: 'TLS on all ports',
  auth: 'Who may call',
  http: 'The HTTP port for callers',
  admin: 'The HTTP port for operators',
  models: 'Which models are served',
  runtime: 'Where and how models run',
  tokenizer: 'Turning texts into tokens',
  limits: 'What one call may ask for',
  rateLimits: 'What one caller may use',
  batching: 'How queued inputs become batches',
  cache: 'The result cache',
  redis: 'The Redis behind the cache',
  shutdown: 'How the process ends',
  log: 'The log',
  tracing: 'Traces',
};

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function settingRow(setting) {
  const names = [
    setting.flag,
    setting.variable,
    ...(setting.alias === undefined ? [] : [setting.alias]),
    setting.path,
  ];
  const preset =
    setting.kind === 'text' && setting.defaultText.includes(' ')
      ? setting.defaultText
      : `\`${setting.defaultText}\``;
  return [names.map((name) => `\`${name}\``).join('<br>'), preset, setting.allowed, setting.doc];
}

function configuration() {
  const sections = [...new Set(settings.map(({ section }) => section))].map((section) => {
    const title = sectionTitles[section];
    if (title === undefined) throw new Error(`scripts/docs.mjs has no title for the section ${section}`);
    const rows = settings.filter((setting) => setting.section === section).map(settingRow);
    const head = ['Flag, variable, YAML key', 'Default', 'Takes', 'Meaning'];
    return `## ${title}: \`${section}\`\n\n${table(head, rows)}\n`;
  });
  return `<!-- Written by scripts/docs.mjs from src/config/. Change it there. -->

# Configuration

Every setting has a flag, an environment variable and a key in a YAML file. If a setting is given in several
places, the first of these wins:

1. the flag: \`--port 50051\` or \`--port=50051\`;
2. the environment variable: \`VERDICT_PORT=50051\`;
3. the same variable in a file \`.env\` in the working directory;
4. the YAML file that \`${configFile.flag}\` or \`${configFile.variable}\` names;
5. the default.

\`\`\`yaml
# verdict.yaml
server:
  host: 0.0.0.0
limits:
  maxTextChars: 2000
\`\`\`

A value that is not allowed, or a name that does not exist, stops the start. The message names the setting, the place and
what is allowed. It lists all problems at once:

\`\`\`text
--port is 99999: it must be a whole number from 0 to 65535.
VERDICT_MAX_BATCH_INPUT is not a setting. Did you mean VERDICT_MAX_BATCH_INPUTS?
\`\`\`

An empty environment variable counts as not set, but it still hides the one in \`.env\`. The server never prints the
password in a Redis URL or the secret of the cache.

Kubernetes sets variables in a pod for every Service in its namespace. For a Service named \`verdict\` they look like
settings (\`VERDICT_PORT=tcp://10.0.0.1:50051\`). The server recognises and ignores them.

${sections.join('\n')}`;
}

const sampleVersion = {
  ...{ version: '1', state: 'serving', stateReason: '', labels: [], problemType: 'regression', maxTokens: 1 },
  ...{ batchBudgetTokens: 1, precision: 'fp32', device: 'cpu', digest: '', defaultTruncation: 'end' },
  ...{ readyInstances: 1, instances: 1, costSamples: [], memoryBytes: 0 },
};

/** Name, type, labels and help of every metric, as the server exposes them with one model and one method. */
async function metrics() {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const telemetry = createTelemetry({
    log,
    droppedLines: () => 0,
    version: '',
    redisConfigured: false,
    latencyObjectiveMs: 1,
  });
  for (const interceptor of telemetry.interceptors) interceptor.prepare?.([{ service: 's', method: 'm' }]);
  telemetry.version({ model: 'm', version: '1' });
  telemetry.watchModels(() => [
    { name: 'm', isDefault: true, servingVersion: '1', versions: [sampleVersion] },
  ]);
  telemetry.comparisons.onCompared({ model: 'm', version: '1' }, true, 0);
  telemetry.tls.onLoaded({ expiresAt: 1, fingerprint: 'f' });
  telemetry.watchGpus(() => [
    { index: 0, uuid: 'u', memoryUsedBytes: 1, memoryTotalBytes: 1, utilization: 1 },
  ]);
  const { body } = await telemetry.metrics();
  telemetry.close();
  return body.trim().split('\n\n').map(describeMetric);
}

function describeMetric(block) {
  const [, name, help] = /^# HELP (\S+) (.*)$/m.exec(block);
  const [, type] = /^# TYPE \S+ (\S+)$/m.exec(block);
  const sample = /^[a-z]\w*\{(.*)\} /m.exec(block)?.[1] ?? '';
  const labels = [...sample.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
  return { name, type, labels, help };
}

const begin = '<!-- Written by scripts/docs.mjs: begin -->';
const end = '<!-- Written by scripts/docs.mjs: end -->';

function metricsPage(page, all) {
  const own = all.filter(({ name }) => !/^(nodejs|process)_/.test(name));
  const rows = own.map(({ name, type, labels, help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  const [before, rest] = page.split(begin);
  const after = rest.split(end)[1];
  return `${before}${begin}\n\n${table(['Metric', 'Type', 'Labels', 'Meaning'], rows)}\n\n${end}${after}`;
}

/** Metrics that the page names and the server does not have. */
function unknownMetrics(page, all) {
  const names = new Set(all.map(({ name }) => name));
  const mentioned = page.match(/\b(verdict|inference|grpc_server|nodejs|process)_[a-z_0-9]+/g) ?? [];
  return mentioned.filter((name) => !names.has(name) && !names.has(name.replace(/_(bucket|sum|count)$/, '')));
}

function benchmarks(file) {
  return publishedPage(
    `${root}docs`,
    file,
    scenarios.map(({ name }) => name),
  );
}

const all = await metrics();
const pages = {
  'docs/configuration.md': () => configuration(),
  'docs/metrics.md': (page) => metricsPage(page, all),
  ...Object.fromEntries(publishedPageFiles.map((file) => [`docs/${file}`, () => benchmarks(file)])),
};
for (const [path, write] of Object.entries(pages)) {
  const page = existsSync(root + path) ? readFileSync(root + path, 'utf8') : '';
  const wanted = write(page);
  if (!check) writeFileSync(root + path, wanted);
  else if (wanted !== page) fail(`${path} is not up to date: run 'node scripts/docs.mjs' after a build`);
}
for (const name of unknownMetrics(readFileSync(`${root}docs/metrics.md`, 'utf8'), all)) {
  fail(`docs/metrics.md names ${name}, which is no metric`);
}

function fail(problem) {
  console.error(problem);
  process.exitCode = 1;
}
