// ONNX Runtime for npm users of the server. onnxruntime-node is one tarball with the libraries of five platforms, and its
// install script fetches CUDA from a feed: the installation fails where that is out of reach. These packages hold the
// same files, unchanged: one package for each platform, of which npm installs the one that fits, and one that loads it.
// None has an install script (docs/adr/0029).
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { manifestOf, root, SCOPE, stage } from './stage.mjs';

const upstream = 'node_modules/onnxruntime-node';

/** Where the server runs. ONNX Runtime's libraries for Linux need glibc. */
const platforms = [
  { os: 'linux', cpu: 'x64', libc: ['glibc'] },
  { os: 'linux', cpu: 'arm64', libc: ['glibc'] },
  { os: 'darwin', cpu: 'arm64' },
];

const NAME = `${SCOPE}/onnxruntime-node`;
const LICENSE = 'scripts/packages/onnxruntime-license.txt';

/** What the server's manifest says in place of a version of onnxruntime-node. */
export const aliasOfOnnxruntime = (version) => `npm:${NAME}@${version}`;

export function onnxruntimePackages(out) {
  const { version, license, dependencies } = manifestOf(upstream);
  const { repository, homepage } = manifestOf('.');
  const common = { version, license, repository, homepage, publishConfig: { access: 'public' } };
  const parts = platforms.map(({ os, cpu, libc }) => {
    const libraries = `bin/napi-v6/${os}/${cpu}`;
    const manifest = {
      name: `${SCOPE}/onnxruntime-${os}-${cpu}`,
      description: `ONNX Runtime ${version} for Node.js on ${os} ${cpu}, as in onnxruntime-node, without an install script`,
      ...common,
      os: [os],
      cpu: [cpu],
      ...(libc === undefined ? {} : { libc }),
      main: 'dist/index.js',
      dependencies: { 'onnxruntime-common': dependencies['onnxruntime-common'] },
    };
    const copies = { LICENSE, dist: `${upstream}/dist`, [libraries]: `${upstream}/${libraries}` };
    return stage(out, manifest, copies, { isRunOnly: true });
  });
  const loader = {
    name: NAME,
    description: `ONNX Runtime ${version} for Node.js, as in onnxruntime-node, without an install script`,
    ...common,
    main: 'index.js',
    optionalDependencies: Object.fromEntries(parts.map(({ name }) => [name, version])),
  };
  const staged = stage(out, loader, { LICENSE });
  writeFileSync(join(staged.folder, 'index.js'), loaderSource());
  return [...parts, staged];
}

/** Names each export, so that `import` finds them in a CommonJS module. */
function loaderSource() {
  const names = Object.keys(createRequire(join(root, 'package.json'))('onnxruntime-node'));
  const exports = names.filter((name) => name !== '__esModule').sort();
  return `'use strict';

const name = \`${SCOPE}/onnxruntime-\${process.platform}-\${process.arch}\`;

function load() {
  try {
    return require(name);
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    throw new Error(\`ONNX Runtime is not installed for this machine: there is no package \${name}\`, { cause: error });
  }
}

const ort = load();
${exports.map((name) => `exports.${name} = ort.${name};`).join('\n')}
`;
}
