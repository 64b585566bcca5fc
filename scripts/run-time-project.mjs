import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs the body with a project that has nothing but what the service needs at run time: package.json and
 * package-lock.json in a folder that is gone afterwards. `npm sbom --omit=dev` leaves out what something for development
 * needs as well, @grpc/grpc-js among it: npm gets a project without any development instead.
 *
 * @template T
 * @param {(folder: string) => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withRunTimeProject(body) {
  const parent = await mkdtemp(join(tmpdir(), 'verdict-run-time-'));
  try {
    // npm names what it describes after the folder.
    const folder = join(parent, 'verdict');
    await mkdir(folder);
    await copyFile(join(root, '.npmrc'), join(folder, '.npmrc'));
    const manifest = await read('package.json');
    const lock = await read('package-lock.json');
    await write(folder, 'package.json', withoutDevelopment(manifest));
    await write(folder, 'package-lock.json', { ...lock, packages: runTimePackages(lock.packages) });
    return await body(folder);
  } finally {
    await rm(parent, { recursive: true });
  }
}

function runTimePackages(packages) {
  const installed = Object.entries(packages).filter(
    ([path, { dev, link }]) => path.startsWith('node_modules/') && !dev && !link,
  );
  return Object.fromEntries([['', withoutDevelopment(packages[''])], ...installed]);
}

/** The workspaces, bench and the client's package, add nothing to the service: the Dockerfile leaves them out too. */
function withoutDevelopment(manifest) {
  const { devDependencies: _development, workspaces: _workspaces, ...rest } = manifest;
  return rest;
}

async function read(name) {
  return JSON.parse(await readFile(join(root, name), 'utf8'));
}

async function write(folder, name, value) {
  await writeFile(join(folder, name), JSON.stringify(value));
}
