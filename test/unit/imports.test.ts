import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * What each part of src/ may import, besides itself, `errors`, `claim`, and the types of `telemetry` and `config`. A part is a
 * folder, or a file directly in src/. Whoever may import a part may import what that part may.
 */
const directions: Readonly<Record<string, readonly string[]>> = {
  main: ['cli', 'app', 'config', 'descriptor-limit', 'lifecycle', 'signals', 'telemetry'],
  cli: ['app', 'client', 'config', 'descriptor-limit', 'lifecycle', 'signals', 'simulation', 'telemetry'],
  app: ['rpc', 'admin', 'config', 'descriptor-limit', 'lifecycle', 'telemetry'],
  rpc: ['classify', 'auth', 'ratelimit'],
  admin: ['classify'],
  classify: ['models', 'cache'],
  models: ['batching', 'tokenizer', 'runtime'],
  simulation: ['batching'],
  batching: ['concurrency', 'cost'],
  cost: [],
  tokenizer: ['concurrency'],
  runtime: ['concurrency'],
  concurrency: [],
  cache: ['redis'],
  auth: ['redis'],
  ratelimit: ['redis'],
  redis: [],
  client: [],
  config: [],
  'descriptor-limit': [],
  lifecycle: [],
  signals: [],
  telemetry: [],
  errors: [],
  claim: [],
};

/** The errors of the seam between batcher and sessions are classes, and sessions throw them. */
const furtherEdges = ['runtime -> batching/types'];

/** Types of a seam (`<folder>/types.ts`) that a part may import from beside or above it. */
const seams: Readonly<Record<string, readonly string[]>> = {
  // It implements the hooks that every part announces its events through.
  telemetry: ['rpc', 'classify', 'models', 'batching', 'tokenizer', 'runtime', 'cache', 'redis'],
  runtime: ['tokenizer', 'batching'],
  cache: ['tokenizer'],
  // A model version computes what the cache asks for.
  models: ['cache'],
  batching: ['tokenizer', 'runtime'],
};

const owners: Readonly<Record<string, readonly string[]>> = {
  '@grpc/grpc-js': ['rpc', 'client'],
  '@bufbuild/protobuf': ['rpc', 'client'],
  'onnxruntime-node': ['runtime'],
  '@huggingface/tokenizers': ['tokenizer'],
  'oniguruma-to-es': ['tokenizer'],
  'lru-cache': ['cache'],
  ioredis: ['redis'],
  'prom-client': ['telemetry'],
  pino: ['telemetry'],
  zod: ['config'],
  yaml: ['config'],
  'cli-progress': ['cli'],
  'csv-parse': ['cli'],
  'swagger-ui-dist': ['admin'],
};

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** The imports of a source text: static, re-exporting, dynamic, `require`d, and files that a URL names. */
function importsOf(source: string): Import[] {
  const code = source.replaceAll(/\/\*.*?\*\//gs, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const statements = code.matchAll(/^\s*(?:import|export)\s+(type\s)?[^'"`;=()]*?from\s+['"]([^'"]+)['"]/gm);
  const bare = code.matchAll(/^\s*import\s+['"]([^'"]+)['"]/gm);
  const calls = code.matchAll(
    /\b(?:import|require|require\.resolve|import\.meta\.resolve)\(\s*['"]([^'"]+)['"]/g,
  );
  const urls = code.matchAll(/new URL\(\s*['"](\.[^'"]+\.js)['"]\s*,\s*import\.meta\.url/g);
  return [
    ...[...statements].map(([, type, specifier = '']) => ({ specifier, typeOnly: type !== undefined })),
    ...[...bare, ...calls, ...urls].map(([, specifier = '']) => ({ specifier, typeOnly: false })),
  ];
}

function reachable(part: string, seen = new Set<string>()): Set<string> {
  for (const next of directions[part] ?? []) {
    if (!seen.has(next)) reachable(next, seen.add(next));
  }
  return seen;
}

const partOf = (path: string) => path.split('/')[0]?.replace(/\.[jt]s$/, '') ?? '';

/** What is wrong with the imports of one file; `path` is relative to src/. */
function violations(path: string, source: string): string[] {
  const part = partOf(path);
  if (!(part in directions)) return [`${path}: ${part} is a part that this test does not know`];
  return importsOf(source).flatMap(({ specifier, typeOnly }) => {
    if (specifier.startsWith('node:')) return [];
    const wrong = (why: string) => [`${path} imports ${specifier}: ${why}`];
    if (!specifier.startsWith('.')) {
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
      const allowed = owners[name];
      if (allowed === undefined) return wrong(`${name} has no owner`);
      return allowed.includes(part) ? [] : wrong(`${name} belongs to ${allowed.join(' and ')}`);
    }
    const target = posix.normalize(posix.join('src', posix.dirname(path), specifier));
    if (target.startsWith('generated/')) {
      return part === 'rpc' || part === 'client' ? [] : wrong('generated/ is for rpc and client');
    }
    if (!target.startsWith('src/')) return wrong('it is outside src/ and generated/');
    const to = target.slice('src/'.length).replace(/\.js$/, '');
    return mayImport(part, to, typeOnly) ? [] : wrong(`${part} may not import ${to}`);
  });
}

function mayImport(part: string, to: string, typeOnly: boolean): boolean {
  const target = partOf(to);
  if (
    target === part ||
    target === 'errors' ||
    target === 'claim' ||
    furtherEdges.includes(`${part} -> ${to}`)
  )
    return true;
  if (typeOnly && (target === 'telemetry' || target === 'config')) return true;
  if (target === 'config') return ['app', 'main', 'cli'].includes(part);
  if (typeOnly && to === `${target}/types` && seams[part]?.includes(target)) return true;
  return reachable(part).has(target);
}

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, source: readFileSync(join(root, 'src', path), 'utf8') }));

describe('the imports of src', () => {
  it('run one way, keep each package with its owner, and generated code at the edge', () => {
    assert.ok(files.length > 0);
    assert.deepEqual(
      files.flatMap(({ path, source }) => violations(path, source)),
      [],
    );
  });

  it('leave the environment to config, but for child processes, which inherit it', () => {
    const mayTouchIt = [
      'main',
      'cli',
      'config',
      'runtime/session-child',
      'runtime/probe-cuda',
      'runtime/gpu-monitor',
    ];
    const readers = files.filter(({ source }) => /\bprocess\.env\b/.test(source)).map(({ path }) => path);
    assert.deepEqual(
      readers.filter((path) => !mayTouchIt.includes(partOf(path)) && !mayTouchIt.includes(path.slice(0, -3))),
      [],
    );
  });
});

describe('the check of imports', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['rpc/a.ts', `import { b } from '../classify/b.js';`, true],
    ['rpc/a.ts', `import { b } from '../concurrency/b.js';`, true],
    ['classify/a.ts', `import { b } from '../rpc/b.js';`, false],
    ['classify/a.ts', `import type { B } from '../rpc/types.js';`, false],
    ['classify/a.ts', `export * from '../rpc/b.js';`, false],
    ['classify/a.ts', `import {\n  type B,\n  c,\n} from '../rpc/b.js';`, false],
    ['classify/a.ts', `const b = await import('../rpc/b.js');`, false],
    ['classify/a.ts', `new Worker(new URL('../rpc/b.js', import.meta.url));`, false],
    ['classify/a.ts', `import '../rpc/b.js';`, false],
    ['classify/a.ts', `// import { b } from '../rpc/b.js';`, true],
    ['cache/a.ts', `import { b } from '../errors.js';`, true],
    ['cache/a.ts', `import type { B } from '../config.js';`, true],
    ['cache/a.ts', `import { b } from '../config.js';`, false],
    ['rpc/a.ts', `import { b } from '../telemetry/b.js';`, false],
    ['rpc/a.ts', `import type { B } from '../telemetry/types.js';`, true],
    ['telemetry/a.ts', `import type { B } from '../rpc/types.js';`, true],
    ['telemetry/a.ts', `import { b } from '../rpc/types.js';`, false],
    ['lifecycle.ts', `import { b } from './telemetry/b.js';`, false],
    ['app.ts', `import { b } from './cache/b.js';`, true],
    ['app/a.ts', `import { b } from '../cache/b.js';`, true],
    ['cache/a.ts', `import { b } from '../app/b.js';`, false],
    ['app.ts', `import { b } from './client/b.js';`, false],
    ['rpc/a.ts', `import { b } from '../../generated/b.js';`, true],
    ['classify/a.ts', `import type { B } from '../../generated/b.js';`, false],
    ['rpc/a.ts', `import { b } from '../../test/support/b.js';`, false],
    ['rpc/services/a.ts', `import { b } from '../../models/b.js';`, true],
    ['rpc/a.ts', `import { Server } from '@grpc/grpc-js';`, true],
    ['rpc/a.ts', `import { z } from 'zod/mini';`, false],
    ['config/a.ts', `import * as z from 'zod/mini';`, true],
    ['rpc/a.ts', `import lodash from 'lodash';`, false],
    ['rpc/a.ts', `import { readFile } from 'node:fs/promises';`, true],
    ['helpers/a.ts', '', false],
  ];
  for (const [path, source, allowed] of cases) {
    it(`${allowed ? 'allows' : 'refuses'} in ${path}: ${source.replaceAll(/\s+/g, ' ')}`, () => {
      assert.equal(violations(path, source).length, allowed ? 0 : 1);
    });
  }
});
