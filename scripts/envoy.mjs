// `npm run envoy`: Envoy with deploy/envoy/envoy.yaml in front of the server that `npm start` runs here. The settings of
// that server (VERDICT_PORT and its kin in the environment, .env or the file of VERDICT_CONFIG) are read as it reads
// them. Envoy is looked for on the PATH and fetched where it is not there.
//
//   npm run envoy -- --port 8081 --admin-port 9902    # Envoy's own ports; 0 takes free ones
//   npm run envoy -- -l debug                         # further arguments are Envoy's
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureBuilt } from '../bin/ensure-built.js';
import { envoyConfigFor, takePorts } from './tools/envoy-config.mjs';
import { provision } from './tools/provision.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (line) => console.error(`envoy: ${line}`);

/** @returns {Promise<{ server: { host: string, port: number }, admin: { host: string, port: number, docsApiUrl: string } }>} */
async function serverSettings() {
  const code = await ensureBuilt(root);
  if (code !== 0) process.exit(code);
  const { loadConfig } = await import(pathToFileURL(join(root, 'dist/src/config.js')).href);
  try {
    return await loadConfig({ argv: [], env: process.env, cwd: process.cwd() });
  } catch (error) {
    if (error.name !== 'ConfigError') throw error;
    say(error.message);
    process.exit(2);
  }
}

/** Waits until Envoy takes calls. Returns its listener's port; undefined where it ends before. */
async function listening(child, adminAddressPath) {
  while (child.exitCode === null && child.signalCode === null) {
    try {
      const admin = `http://${readFileSync(adminAddressPath, 'utf8')}`;
      if ((await fetch(`${admin}/ready`)).ok) {
        const listeners = await (await fetch(`${admin}/listeners`)).text();
        return /^api::.*:(\d+)$/m.exec(listeners)?.[1];
      }
    } catch {
      // It has not come so far.
    }
    await sleep(100);
  }
  return undefined;
}

/** Whether somebody listens there. */
function answers({ host, port }) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** What users can put right is told in a sentence. */
function orExplain(action) {
  try {
    return action();
  } catch (error) {
    say(error.message);
    process.exit(2);
  }
}

const { ports, rest } = orExplain(() => takePorts(process.argv.slice(2)));
const { server, admin } = await serverSettings();
const yaml = readFileSync(join(root, 'deploy/envoy/envoy.yaml'), 'utf8');
const plan = orExplain(() => envoyConfigFor(yaml, { server, ...ports }));
const envoy = await provision('envoy', { retry: true });
if ('unavailable' in envoy) {
  say(`it is unavailable: ${envoy.unavailable}`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'verdict-envoy-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const adminAddressPath = join(folder, 'admin');
const options = ['--config-yaml', plan.yaml, '--admin-address-path', adminAddressPath];
const args = [...options, '--disable-hot-restart', '--log-level', 'warn', ...rest];
const child = spawn(envoy.path, args, { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});

const port = await listening(child, adminAddressPath);
if (port !== undefined) {
  const url = `http://localhost:${port}`;
  const upstream = `${plan.upstream.host}:${plan.upstream.port}`;
  say(`${url} takes JSON, gRPC-Web and gRPC, and sends it to Verdict at ${upstream}`);
  if (!(await answers(plan.upstream)))
    say(`nothing listens at ${upstream} yet: start Verdict with npm start`);
  if (new URL(admin.docsApiUrl).port === port) {
    say(`http://localhost:${admin.port}/docs shows the API, and sends requests`);
  } else {
    say(
      `http://localhost:${admin.port}/docs sends its requests to ${admin.docsApiUrl}, not here: ` +
        `start Verdict with VERDICT_DOCS_API_URL=${url} to change that`,
    );
  }
}
