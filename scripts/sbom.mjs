// `npm run sbom`: writes build/sbom.cdx.json, a CycloneDX list of the packages that the service needs at run time, with
// their versions, licences and hashes, out of package-lock.json. It asks no network.
//   node scripts/sbom.mjs FILE   writes another file
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runNpm } from './run-npm.mjs';
import { withRunTimeProject } from './run-time-project.mjs';

const TIMEOUT_MS = 60_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const target = resolve(process.argv[2] ?? join(root, 'build/sbom.cdx.json'));

const args = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
const { stdout, trouble } = await withRunTimeProject((cwd) => runNpm(args, { cwd, timeoutMs: TIMEOUT_MS }));
if (trouble !== undefined) throw new Error(`npm sbom: ${trouble}`);
await mkdir(dirname(target), { recursive: true });
await writeFile(target, stdout);
console.log(`${JSON.parse(stdout).components.length} packages: ${target}`);
