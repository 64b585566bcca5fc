import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from '../tools/run-command.mjs';
import { listing, processEnvironment } from './stage-runner.mjs';

const HEALTHY_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 40_000;
/** No folder. */
const NOWHERE = '/nonexistent';

/**
 * Starts an image's entry point on free ports, runs its health check until that passes, stops it and looks at how it
 * ended and whether it wrote into its own files, which a read-only root file system would forbid. Where this process is
 * root's, the server runs as the image's user, who can write nowhere there, if that one can read links out of the image; its
 * home and its folder for temporary files do not exist.
 *
 * @param {{ root: string, workdir: string, env: Record<string, string>, user?: string, entrypoint?: string[],
 *   healthcheck?: string[] }} image
 * @returns {Promise<number>} the user that it ran as
 */
export async function askHealth(image) {
  const { root, workdir, entrypoint, healthcheck } = image;
  if (entrypoint === undefined || healthcheck === undefined)
    throw new Error('the image has no entry point or no health check');
  const cwd = join(root, workdir);
  const env = {
    ...processEnvironment(image),
    VERDICT_PORT: String(await freePort()),
    VERDICT_HTTP_PORT: String(await freePort()),
    VERDICT_ADMIN_PORT: String(await freePort()),
    VERDICT_DRAIN_GRACE_MS: '0',
    HOME: NOWHERE,
    TMPDIR: NOWHERE,
  };
  const user = process.getuid() === 0 ? await userOf(image, join(cwd, 'dist')) : {};
  const before = await listing(cwd);
  const [program, ...args] = entrypoint;
  const server = spawn(program, args, { cwd, env, ...user, stdio: ['ignore', 'pipe', 'inherit'] });
  let log = '';
  server.stdout.setEncoding('utf8').on('data', (chunk) => {
    log = (log + chunk).slice(-10_000);
  });
  const exited = once(server, 'exit');
  try {
    await untilHealthy(server, healthcheck, { cwd, env });
  } catch (error) {
    throw new Error(`${error.message}\n${log}`);
  } finally {
    server.kill('SIGTERM');
    const force = setTimeout(() => server.kill('SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(force);
  }
  const [code, signal] = await exited;
  if (code !== 0) throw new Error(`the server ended with ${signal ?? code} on SIGTERM\n${log}`);
  const known = new Set(before);
  const written = (await listing(cwd)).filter((line) => !known.has(line));
  if (written.length > 0) throw new Error(`the server wrote into its own files: ${written.join(', ')}`);
  return user.uid ?? process.getuid();
}

/** By number, as Kubernetes wants it of whom it can tell not to be root; nobody else where this folder is closed to it. */
async function userOf({ user = '' }, folder) {
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(user) ?? [];
  if (uid === undefined) throw new Error(`USER is '${user}', not two numbers`);
  if (Number(uid) === 0 || Number(gid) === 0) throw new Error(`USER ${user} is root`);
  const ids = { uid: Number(uid), gid: Number(gid) };
  const { ok } = await runCommand('ls', [`${folder}/`], { timeoutMs: 10_000, ...ids });
  return ok ? ids : {};
}

async function untilHealthy(server, [program, ...args], { cwd, env }) {
  const giveUpAt = performance.now() + HEALTHY_WITHIN_MS;
  for (;;) {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`);
    const check = await runCommand(program, args, { timeoutMs: 10_000, cwd, env });
    if (check.ok) return;
    if (performance.now() > giveUpAt) throw new Error(`the health check never passed: ${check.reason}`);
    await delay(200);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
