import { aliasOfOnnxruntime } from './onnxruntime.mjs';
import { commonFields, manifestOf, SCOPE, stage } from './stage.mjs';

/** The service and the `verdict` command: what runs, and nothing that tests, benchmarks or compilers need. */
export function serverPackage(out) {
  const { description, type, dependencies } = manifestOf('.');
  const manifest = {
    name: `${SCOPE}/server`,
    description,
    ...commonFields(),
    type,
    os: ['linux', 'darwin'],
    bin: { verdict: 'bin/verdict.js' },
    dependencies: {
      ...dependencies,
      'onnxruntime-node': aliasOfOnnxruntime(dependencies['onnxruntime-node']),
    },
  };
  const copies = {
    LICENSE: 'LICENSE',
    NOTICE: 'NOTICE',
    'README.md': 'scripts/packages/server-readme.md',
    'bin/verdict.js': 'bin/verdict.js',
    'dist/src': 'dist/src',
    'dist/clients/typescript/src': 'dist/clients/typescript/src',
    'dist/generated': 'dist/generated',
    'generated/descriptor.binpb': 'generated/descriptor.binpb',
    'generated/openapi.json': 'generated/openapi.json',
    models: 'models',
    proto: 'proto',
  };
  return [stage(out, manifest, copies, { isRunOnly: true })];
}
