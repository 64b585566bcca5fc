import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { actionlint, provideActionlint } from './actionlint.mjs';
import { provideCargo, provideGo, provideMaven } from './compilers.mjs';
import { provideCurl, providePromtool, provideRedisServer } from './debian-programs.mjs';
import { provideEnvoy } from './envoy.mjs';
import { findTool } from './find-tool.mjs';
import { provideGrpcurl } from './grpcurl.mjs';
import { provideHadolint } from './hadolint.mjs';
import { lacksGlibc, lacksPythonBefore } from './machine.mjs';
import { node24, provideNode24 } from './node24.mjs';
import { openapiPlugin, provideOpenapiGenerator } from './openapi-generator.mjs';
import { otelcol, provideOtelcol } from './otelcol.mjs';
import { toolsDir } from './paths.mjs';
import {
  providePerfAnalyzer,
  providePythonClients,
  providePythonGrpc,
  providePythonLocust,
  providePythonMlflow,
  providePythonMlserver,
  providePythonOpenapi,
  providePythonTriton,
  providePythonWheel,
  provideRclone,
  pythonClientsArgs,
  pythonGrpcArgs,
  pythonLocust,
  pythonLocustArgs,
  pythonMlflow,
  pythonMlflowArgs,
  pythonMlserverArgs,
  pythonOpenapiArgs,
  pythonTritonArgs,
  pythonWheelArgs,
} from './python-environments.mjs';
import { withLock } from './with-lock.mjs';

/** What test/integrations runs: the servers and clients of other systems, and what checks our own packages and examples. */
const integrationTools = {
  mvn: { versionArgs: ['--version'], provide: provideMaven },
  cargo: { versionArgs: ['--version'], provide: provideCargo },
  [actionlint]: { versionArgs: ['-version'], provide: provideActionlint },
  'python-wheel': { versionArgs: pythonWheelArgs, provide: providePythonWheel },
  'python-clients': { versionArgs: pythonClientsArgs, provide: providePythonClients },
  [pythonMlflow]: { versionArgs: pythonMlflowArgs, provide: providePythonMlflow },
  'python-triton': { versionArgs: pythonTritonArgs, provide: providePythonTriton },
  'python-mlserver': {
    versionArgs: pythonMlserverArgs,
    provide: providePythonMlserver,
    lacking: lacksPythonBefore([3, 13]),
  },
  perf_analyzer: { versionArgs: ['--version'], provide: providePerfAnalyzer, lacking: lacksGlibc([2, 38]) },
  [pythonLocust]: { versionArgs: pythonLocustArgs, provide: providePythonLocust },
  rclone: { versionArgs: ['serve', 's3', '--help'], provide: provideRclone },
};

/** The programs that tests use and `npm ci` does not bring. */
const tools = {
  'redis-server': { versionArgs: ['--version'], provide: provideRedisServer },
  grpcurl: { versionArgs: ['-version'], provide: provideGrpcurl },
  [openapiPlugin]: { versionArgs: [], provide: provideOpenapiGenerator },
  'python-grpc': { versionArgs: pythonGrpcArgs, provide: providePythonGrpc },
  'python-openapi': { versionArgs: pythonOpenapiArgs, provide: providePythonOpenapi },
  envoy: { versionArgs: ['--version'], provide: provideEnvoy },
  hadolint: { versionArgs: ['--version'], provide: provideHadolint },
  curl: { versionArgs: ['--version'], provide: provideCurl },
  promtool: { versionArgs: ['--version'], provide: providePromtool },
  go: { versionArgs: ['version'], provide: provideGo },
  [otelcol]: { versionArgs: ['--version'], provide: provideOtelcol },
  [node24]: { versionArgs: ['--version'], provide: provideNode24 },
  ...integrationTools,
};

/** Those of `npm run test:integrations`. */
export const integrationToolNames = Object.keys(integrationTools);

/** Those of `npm test`; the second Node.js is fetched where it is used, in CI. */
export const toolNames = Object.keys(tools).filter(
  (name) => name !== node24 && !integrationToolNames.includes(name),
);

/** How long a failure is remembered, so that a test run pays for it once and not once per test file. */
const rememberFailureMs = 600_000;
const lockTimeoutMs = 600_000;

/**
 * Finds a tool on the PATH or in `.tools/bin`, and fetches it there where it is in neither. Bounded in time, and safe
 * to call from several processes at once.
 *
 * @param {string} name
 * @param {{ retry?: boolean }} [options] `retry`: try again even if that failed a moment ago
 * @returns {Promise<{ path: string } | { unavailable: string, hopeless?: boolean }>} `hopeless`: it cannot run on this machine,
 *   whatever is fetched, so CI does without it too
 */
export async function provision(name, { retry = false } = {}) {
  const tool = tools[name];
  if (tool === undefined)
    return { unavailable: `no tool of that name is known; known are ${Object.keys(tools).join(', ')}` };
  const path = await findTool(name, tool.versionArgs);
  if (path !== undefined) return { path };
  const lacking = (await tool.lacking?.()) ?? '';
  if (lacking !== '') return { unavailable: lacking, hopeless: true };
  const memo = join(toolsDir, 'unavailable', name);
  try {
    return await withLock(join(toolsDir, 'locks', name), lockTimeoutMs, () =>
      fetchTool(name, tool, memo, retry),
    );
  } catch (error) {
    return { unavailable: error.message };
  }
}

async function fetchTool(name, tool, memo, retry) {
  // Another process may have fetched it, or failed to, while this one waited for the lock.
  const fetched = await findTool(name, tool.versionArgs);
  if (fetched !== undefined) return { path: fetched };
  const remembered = retry ? undefined : await rememberedFailure(memo);
  if (remembered !== undefined) return { unavailable: remembered };
  const reason = await tool.provide();
  const path = reason === '' ? await findTool(name, tool.versionArgs) : undefined;
  if (path !== undefined) {
    await rm(memo, { force: true });
    return { path };
  }
  const unavailable = reason || 'it was fetched but does not start';
  await mkdir(join(toolsDir, 'unavailable'), { recursive: true });
  await writeFile(memo, unavailable);
  return { unavailable };
}

async function rememberedFailure(memo) {
  try {
    const { mtimeMs } = await stat(memo);
    return Date.now() - mtimeMs < rememberFailureMs ? await readFile(memo, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

async function main(names) {
  let missing = 0;
  for (const name of names.length > 0 ? names : toolNames) {
    const found = await provision(name, { retry: true });
    if ('path' in found) console.log(`${name}: ${found.path}`);
    else {
      if (!found.hopeless) missing += 1;
      console.error(`${name}: unavailable: ${found.unavailable}`);
    }
  }
  if (missing > 0 && process.env.CI === 'true') process.exitCode = 1;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(process.argv.slice(2));
}
