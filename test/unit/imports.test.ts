import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * What each part of src/ may import, besides itself, `errors`, `claim`, and the types of `telemetry` and `config`. A part is a
 * folder, or a file directly in src/. Whoever may import a part may import what that part may. Inside a part its files may
 * import each other, but for those in rooms.
 */
const directions: Readonly<Record<string, readonly string[]>> = {
  main: ['cli', 'app', 'config', 'descriptor-limit', 'lifecycle', 'signals', 'telemetry'],
  cli: ['app', 'config', 'descriptor-limit', 'lifecycle', 'signals', 'simulation', 'telemetry'],
  app: [
    ...[
      'rpc',
      'http',
      'admin',
      'sources',
      'config',
      'auth',
      'tls',
      'descriptor-limit',
      'lifecycle',
      'telemetry',
    ],
    'tracing',
  ],
  rpc: ['comparison', 'auth', 'ratelimit', 'statistics', 'tls'],
  http: ['rpc', 'models', 'tls'],
  admin: ['classify', 'tls'],
  sources: ['models'],
  comparison: ['classify'],
  classify: ['models', 'cache'],
  models: ['batching', 'preprocessing', 'runtime'],
  preprocessing: ['tokenizer', 'runtime'],
  simulation: ['batching'],
  batching: ['concurrency', 'cost'],
  cost: [],
  tokenizer: ['concurrency'],
  runtime: ['concurrency'],
  concurrency: [],
  cache: ['redis', 'concurrency'],
  auth: [],
  ratelimit: ['redis', 'concurrency'],
  statistics: [],
  redis: [],
  tracing: ['ratelimit'],
  // It checks the files before the start as the server will when it loads them, and knows what a key file holds.
  config: ['auth', 'tls'],
  tls: [],
  'descriptor-limit': [],
  lifecycle: [],
  signals: [],
  telemetry: [],
  errors: [],
  claim: [],
};

/** Types of a seam (`<folder>/types.ts`) that a part may import from beside or above it. */
const seams: Readonly<Record<string, readonly string[]>> = {
  // It implements the hooks that every part announces its events through.
  telemetry: [
    ...[
      'rpc',
      'comparison',
      'classify',
      'models',
      'batching',
      'tokenizer',
      'runtime',
      'cache',
      'redis',
      'auth',
      'ratelimit',
      'tls',
      'tracing',
    ],
  ],
  // It implements hooks as well, and an interceptor.
  tracing: ['rpc', 'classify', 'batching'],
  // It implements hooks too.
  statistics: ['cache', 'classify', 'batching'],
  cache: ['tokenizer'],
  // An identity has limits, and the key file holds them.
  auth: ['ratelimit'],
  config: ['ratelimit'],
  // A model version computes what the cache asks for.
  models: ['cache'],
  batching: ['tokenizer', 'runtime'],
};

/** The rooms of `batching`: its other files import them, and not the other way round, but for the files that they share. */
const rooms = ['batching/queueing', 'batching/dispatch'];
const shared = ['batching/clock', 'batching/rejections', 'batching/types'];

/** Rooms that a room may import types from: what is queued knows nothing of who runs it. */
const neighbours: Readonly<Record<string, readonly string[]>> = {
  'batching/dispatch': ['batching/queueing'],
};

/** The client's package, all of which `cli` may import through this one file. */
const CLIENT = 'clients/typescript/src/';
const CLIENT_ENTRY = `${CLIENT}index.js`;

const owners: Readonly<Record<string, readonly string[]>> = {
  // The exporter of traces takes its metadata.
  '@grpc/grpc-js': ['rpc', 'tracing'],
  '@bufbuild/protobuf': ['rpc', 'http'],
  'find-my-way': ['http'],
  'onnxruntime-node': ['runtime'],
  '@huggingface/tokenizers': ['tokenizer'],
  'oniguruma-to-es': ['tokenizer'],
  'lru-cache': ['cache', 'ratelimit', 'auth'],
  jose: ['auth'],
  ioredis: ['redis'],
  '@opentelemetry/api': ['tracing'],
  '@opentelemetry/core': ['tracing'],
  '@opentelemetry/exporter-trace-otlp-grpc': ['tracing'],
  '@opentelemetry/exporter-trace-otlp-proto': ['tracing'],
  '@opentelemetry/resources': ['tracing'],
  '@opentelemetry/sdk-trace': ['tracing'],
  '@opentelemetry/semantic-conventions': ['tracing'],
  'prom-client': ['telemetry'],
  pino: ['telemetry'],
  zod: ['config'],
  // A model's own file, and the settings'.
  yaml: ['config', 'models'],
  'cli-progress': ['cli'],
  'csv-parse': ['cli'],
  '@huggingface/hub': ['sources'],
  '@aws-sdk/client-s3': ['sources'],
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

const packageOf = (specifier: string) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

const partOf = (path: string) => path.split('/')[0]?.replace(/\.[jt]s$/, '') ?? '';

/** What is wrong with the imports of one file; `path` is relative to src/. */
function violations(path: string, source: string): string[] {
  const part = partOf(path);
  if (!(part in directions)) return [`${path}: ${part} is a part that this test does not know`];
  return importsOf(source).flatMap(({ specifier, typeOnly }) => {
    if (specifier.startsWith('node:')) return [];
    const wrong = (why: string) => [`${path} imports ${specifier}: ${why}`];
    if (!specifier.startsWith('.')) {
      const name = packageOf(specifier);
      const allowed = owners[name];
      if (allowed === undefined) return wrong(`${name} has no owner`);
      return allowed.includes(part) ? [] : wrong(`${name} belongs to ${allowed.join(' and ')}`);
    }
    const target = posix.normalize(posix.join('src', posix.dirname(path), specifier));
    if (target.startsWith('generated/')) {
      return part === 'rpc' ? [] : wrong('generated/ is for rpc and the client');
    }
    if (target.startsWith(CLIENT)) {
      return part === 'cli' && target === CLIENT_ENTRY ? [] : wrong(`${CLIENT_ENTRY} alone is for cli`);
    }
    if (!target.startsWith('src/')) return wrong('it is outside src/ and generated/');
    const to = target.slice('src/'.length).replace(/\.js$/, '');
    const allowed = partOf(to) === part ? staysInRoom(path, to, typeOnly) : mayImport(part, to, typeOnly);
    return allowed ? [] : wrong(`${roomOf(path) ?? part} may not import ${to}`);
  });
}

function mayImport(part: string, to: string, typeOnly: boolean): boolean {
  const target = partOf(to);
  if (target === 'errors' || target === 'claim') return true;
  if (typeOnly && (target === 'telemetry' || target === 'config')) return true;
  if (target === 'config') return ['app', 'main', 'cli'].includes(part);
  if (typeOnly && to === `${target}/types` && seams[part]?.includes(target)) return true;
  return reachable(part).has(target);
}

const roomOf = (path: string) => rooms.find((room) => path.startsWith(`${room}/`));

function staysInRoom(path: string, to: string, typeOnly: boolean): boolean {
  const [room, target] = [roomOf(path), roomOf(to)];
  if (room === undefined || room === target) return true;
  if (target === undefined) return shared.includes(to);
  return typeOnly && (neighbours[room]?.includes(target) ?? false);
}

/** What is wrong with the imports of one file of the client; `path` is relative to its sources. */
function clientViolations(path: string, source: string): string[] {
  return importsOf(source).flatMap(({ specifier }) => {
    if (specifier.startsWith('node:')) return [];
    const wrong = (why: string) => [`${CLIENT}${path} imports ${specifier}: ${why}`];
    if (!specifier.startsWith('.')) {
      const name = packageOf(specifier);
      return name in clientDependencies ? [] : wrong(`the client's package.json does not name ${name}`);
    }
    const target = posix.normalize(posix.join(CLIENT, posix.dirname(path), specifier));
    return target.startsWith(CLIENT) || target.startsWith('generated/')
      ? []
      : wrong('the package would lack it');
  });
}

const { dependencies: clientDependencies }: { dependencies: Record<string, string> } = JSON.parse(
  readFileSync(join(root, 'clients/typescript/package.json'), 'utf8'),
);

/** The files of src/ that a file of it imports. */
function targetsOf(path: string, source: string): string[] {
  return importsOf(source)
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier }) => posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts'));
}

/** Ways that lead from a file back to it. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start >= 0) found.push([...way.slice(start), file].join(' -> '));
    if (start >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

const sourcesIn = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, source: readFileSync(join(root, folder, path), 'utf8') }));

const files = sourcesIn('src');

describe('the imports of src', () => {
  it('run one way, keep each package with its owner, and generated code at the edge', () => {
    assert.ok(files.length > 0);
    assert.deepEqual(
      files.flatMap(({ path, source }) => violations(path, source)),
      [],
    );
  });

  it('never lead back to the file they start from', () => {
    assert.deepEqual(circles(new Map(files.map(({ path, source }) => [path, targetsOf(path, source)]))), []);
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

describe('OpenTelemetry', () => {
  it('is loaded by one import alone, which runs only if calls are traced', () => {
    const outside = files.filter(({ path }) => partOf(path) !== 'tracing');
    const loaders = outside.flatMap(({ path, source }) =>
      importsOf(source)
        .filter(({ specifier, typeOnly }) => !typeOnly && /(^|\/)tracing\/|^@opentelemetry\//.test(specifier))
        .map(({ specifier }) => `${path}: ${specifier}`),
    );
    assert.deepEqual(loaders, ['app/open-tracing.ts: ../tracing/open-tracing.js']);
    const { source = '' } = files.find(({ path }) => path === 'app/open-tracing.ts') ?? {};
    assert.match(
      source,
      /if \(exporter === 'off'\) return undefined;\n\s+const \w+ = await import\('\.\.\/tracing\//,
    );
  });
});

describe('the imports of the client', () => {
  it('stay in its package, but for generated code, which is compiled into it', () => {
    const sources = sourcesIn(CLIENT);
    assert.ok(sources.length > 0);
    assert.deepEqual(
      sources.flatMap(({ path, source }) => clientViolations(path, source)),
      [],
    );
  });

  it('leave the environment alone', () => {
    const readers = sourcesIn(CLIENT).filter(({ source }) => /\bprocess\.env\b/.test(source));
    assert.deepEqual(readers, []);
  });

  const cases: readonly (readonly [string, boolean])[] = [
    [`import { b } from './b.js';`, true],
    [`import { b } from '../../../generated/b.js';`, true],
    [`import { Client } from '@grpc/grpc-js';`, true],
    [`import { BinaryReader } from '@bufbuild/protobuf/wire';`, true],
    [`import type { B } from '../../../src/errors.js';`, false],
    [`import { b } from '../../../test/support/b.js';`, false],
    [`import { InferenceSession } from 'onnxruntime-node';`, false],
  ];
  for (const [source, allowed] of cases) {
    it(`${allowed ? 'may' : 'may not'} be: ${source}`, () => {
      assert.equal(clientViolations('a.ts', source).length, allowed ? 0 : 1);
    });
  }
});

describe('the check of imports', () => {
  it('finds circles of any length, those of types too', () => {
    const graph = (edges: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(edges));
    assert.deepEqual(circles(graph({ a: ['b', 'c'], b: ['c'], c: [] })), []);
    assert.deepEqual(circles(graph({ a: ['b'], b: ['c'], c: ['b'] })), ['b -> c -> b']);
    assert.deepEqual(targetsOf('rpc/a.ts', `import type { B } from '../cache/b.js';`), ['cache/b.ts']);
  });

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
    ['batching/a.ts', `import { b } from './queueing/b.js';`, true],
    ['batching/queueing/a.ts', `import { b } from './b.js';`, true],
    ['batching/queueing/a.ts', `import { b } from '../types.js';`, true],
    ['batching/queueing/a.ts', `import { b } from '../batcher.js';`, false],
    ['batching/queueing/a.ts', `import type { B } from '../dispatch/b.js';`, false],
    ['batching/queueing/a.ts', `import { b } from '../../cost/b.js';`, true],
    ['batching/dispatch/a.ts', `import type { B } from '../queueing/b.js';`, true],
    ['batching/dispatch/a.ts', `import { b } from '../queueing/b.js';`, false],
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
    ['cli/a.ts', `import { b } from '../../clients/typescript/src/index.js';`, true],
    ['cli/a.ts', `import { b } from '../../clients/typescript/src/b.js';`, false],
    ['app.ts', `import { b } from '../clients/typescript/src/index.js';`, false],
    ['cli/a.ts', `import { b } from '@verdict-grpc/client';`, false],
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
