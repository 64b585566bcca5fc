// Writes generated/ from proto/: the TypeScript of buf.gen.yaml, the descriptor set that reflection and Envoy serve
// (comments and options kept), the OpenAPI document, from openapi/ too, and the descriptors that the Python client makes
// its messages of. `--check` writes nothing and fails when
// generated/ is not up to date. The OpenAPI document needs Go: without it that one file stays as it is, said by name;
// with CI=true that is a failure.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeOpenapi } from './openapi.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const buf = join(root, 'node_modules/.bin/buf');
const run = (...args) => execFileSync(buf, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });

const committed = join(root, 'generated');
const openapiName = 'openapi.json';

const descriptorPaths = ['proto/inference', 'proto/tei', 'proto/verdict', 'proto/grpc', 'proto/google/rpc'];

/** What the Python client knows of the contract, inside its package. */
const pythonContract = 'clients/python/src/verdict_grpc/contract.binpb';
const pythonPaths = ['proto/verdict', 'proto/google/rpc', 'proto/grpc/health'];

async function generateInto(out) {
  run('generate', '--output', out);
  const generated = join(out, 'generated');
  const paths = descriptorPaths.flatMap((path) => ['--path', path]);
  run('build', '--as-file-descriptor-set', '-o', join(generated, 'descriptor.binpb'), ...paths);
  buildPythonContract(join(out, 'contract.binpb'));
  const why = await writeOpenapi(join(generated, openapiName));
  if (why !== '') {
    copyFileSync(join(committed, openapiName), join(generated, openapiName));
    console.error(`generated/${openapiName} was left out: ${why}`);
    if (process.env.CI === 'true') process.exitCode = 1;
  }
  return generated;
}

function buildPythonContract(path) {
  const paths = pythonPaths.flatMap((name) => ['--path', name]);
  run('build', '--as-file-descriptor-set', '--exclude-source-info', '-o', path, ...paths);
}

function contents(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), readFileSync(path)];
    }),
  );
}

function differences(actual, wanted) {
  const names = new Set([...actual.keys(), ...wanted.keys()]);
  return [...names].filter((name) => {
    const [a, b] = [actual.get(name), wanted.get(name)];
    return a === undefined || b === undefined || !a.equals(b);
  });
}

const scratch = mkdtempSync(join(tmpdir(), 'verdict-generate-'));
try {
  const fresh = await generateInto(scratch);
  if (process.argv.includes('--check')) {
    const stale = differences(contents(committed), contents(fresh));
    if (!readFileSync(join(root, pythonContract)).equals(readFileSync(join(scratch, 'contract.binpb'))))
      stale.push(pythonContract);
    if (stale.length > 0) {
      console.error(`generated code is not up to date, run 'npm run generate': ${stale.join(', ')}`);
      process.exitCode = 1;
    }
  } else {
    rmSync(committed, { recursive: true, force: true });
    cpSync(fresh, committed, { recursive: true });
    copyFileSync(join(scratch, 'contract.binpb'), join(root, pythonContract));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
