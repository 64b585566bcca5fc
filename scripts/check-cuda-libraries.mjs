// `node scripts/check-cuda-libraries.mjs PROVIDER_FOLDER [LIBRARY_FOLDER]`: fails unless ONNX Runtime's CUDA provider
// is in PROVIDER_FOLDER and every shared library that it and those in LIBRARY_FOLDER are linked with is found. The
// driver's library comes from the host when a container starts, and may be missing.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const PROVIDERS = ['libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_shared.so'];
/** The provider opens these by name when it needs them: no list of what it is linked with shows them. */
const OPENED_LATER = ['libcudnn.so.9'];
const FROM_THE_DRIVER = new Set(['libcuda.so.1']);

const [providerFolder, libraryFolder] = process.argv.slice(2);
if (providerFolder === undefined) {
  console.error('usage: node scripts/check-cuda-libraries.mjs PROVIDER_FOLDER [LIBRARY_FOLDER]');
  process.exit(2);
}

const problems = [];
const providers = PROVIDERS.map((name) => join(providerFolder, name));
for (const path of providers) {
  if (!existsSync(path)) problems.push(`${path} is missing`);
}
const libraries = libraryFolder === undefined ? [] : sharedLibraries(libraryFolder);
for (const path of [...providers, ...libraries].filter((each) => existsSync(each))) {
  const names = missing(path);
  if (names === undefined) problems.push(`${path} is no shared library of this platform`);
  for (const name of names ?? []) problems.push(`${path} needs ${name}, which is not found`);
}
if (libraryFolder !== undefined) {
  for (const name of OPENED_LATER) {
    if (!existsSync(join(libraryFolder, name))) problems.push(`${join(libraryFolder, name)} is missing`);
  }
}
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log(`complete: ${providers.length + libraries.length} libraries checked`);
process.exitCode = problems.length === 0 ? 0 : 1;

function sharedLibraries(folder) {
  return readdirSync(folder)
    .filter((name) => name.includes('.so'))
    .map((name) => join(folder, name));
}

/**
 * What a library needs that the loader does not find, libraries and versions of them, the driver's left out.
 * Undefined: it cannot be loaded at all.
 */
function missing(path) {
  const folders = [libraryFolder && resolve(libraryFolder), process.env.LD_LIBRARY_PATH].filter(Boolean);
  const { status, error, stdout } = spawnSync('ldd', [path], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: folders.join(':') },
  });
  if (error !== undefined) throw error;
  if (status !== 0) return undefined;
  const absent = [...stdout.matchAll(/^\s*(\S+) => not found$/gm)].map(([, name]) => name);
  // A library that is there and too old: mostly that of another Linux release.
  const versions = [...stdout.matchAll(/^\S+: (\S+): version `(\S+)' not found/gm)].map(
    ([, library, version]) => `version ${version} of ${library}`,
  );
  return [...absent.filter((name) => !FROM_THE_DRIVER.has(name)), ...new Set(versions)];
}
