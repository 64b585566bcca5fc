import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './run-command.mjs';

/**
 * Downloads a Debian or Ubuntu package, with whatever it needs that this machine lacks or alone, and unpacks all of it
 * into `targetDir`. Needs no root: apt keeps its lists and its cache in `workDir`, and nothing is installed.
 *
 * @param {string} packageName
 * @param {{ workDir: string, targetDir: string, timeoutMs: number, withDependencies: boolean }} options
 * @returns {Promise<string>} empty when done, else why not
 */
export async function unpackDebianPackage(packageName, { workDir, targetDir, timeoutMs, withDependencies }) {
  const debs = join(workDir, 'debs');
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'debs']) {
    await mkdir(join(workDir, folder), { recursive: true });
  }
  const deadlineAt = Date.now() + timeoutMs;
  const apt = (args) =>
    runCommand('apt-get', [...aptOptions(workDir), ...args], {
      cwd: debs,
      env: { ...process.env, LC_ALL: 'C' },
      timeoutMs: Math.max(1, deadlineAt - Date.now()),
    });

  const updated = await apt(['update']);
  let packages = [packageName];
  if (withDependencies) {
    const planned = await apt(['install', '--simulate', '--no-install-recommends', packageName]);
    if (!planned.ok) return updated.ok ? planned.reason : updated.reason;
    packages = plannedPackages(planned.stdout, packageName);
  }
  const downloaded = await apt(['download', ...packages]);
  if (!downloaded.ok) return updated.ok ? downloaded.reason : updated.reason;
  for (const deb of await readdir(debs)) {
    const unpacked = await runCommand('dpkg', ['--extract', join(debs, deb), targetDir], {
      timeoutMs: 60_000,
    });
    if (!unpacked.ok) return unpacked.reason;
  }
  await rm(workDir, { recursive: true, force: true });
  return '';
}

function aptOptions(workDir) {
  return [
    '--quiet',
    '--yes',
    `--option=Dir::State=${join(workDir, 'state')}`,
    '--option=Dir::State::status=/var/lib/dpkg/status',
    `--option=Dir::Cache=${join(workDir, 'cache')}`,
    '--option=Debug::NoLocking=true',
    '--option=APT::Sandbox::User=',
    '--option=Acquire::Languages=none',
    '--option=Acquire::http::Timeout=15',
    '--option=Acquire::https::Timeout=15',
    '--option=Acquire::Retries=1',
  ];
}

/** The packages of apt's simulation: `Inst name [old] (version origin [arch])`. */
function plannedPackages(simulation, packageName) {
  const lines = simulation.matchAll(/^Inst (\S+)(?: \[[^\]]*\])? \((\S+)/gm);
  const planned = Array.from(lines, ([, name, version]) => `${name}=${version}`);
  return planned.length > 0 ? planned : [packageName];
}
