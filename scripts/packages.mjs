// Puts the packages that are published on npm together, out of what is built, one folder each in build/packages:
// `npm publish` and `npm pack` take such a folder. `npm run packages` builds first.
//   --out FOLDER   writes elsewhere
//   NAME ...       only these: server, client, onnxruntime
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { clientPackage } from './packages/client.mjs';
import { onnxruntimePackages } from './packages/onnxruntime.mjs';
import { serverPackage } from './packages/server.mjs';
import { root } from './packages/stage.mjs';

const makers = { onnxruntime: onnxruntimePackages, server: serverPackage, client: clientPackage };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string', default: join(root, 'build/packages') } },
});
const names = positionals.length === 0 ? Object.keys(makers) : positionals;
const unknown = names.filter((name) => !(name in makers));
if (unknown.length > 0) {
  console.error(`there is no package ${unknown.join(', ')}; there are ${Object.keys(makers).join(', ')}`);
  process.exit(2);
}
if (!existsSync(join(root, 'dist/.built'))) {
  console.error('nothing is built here: run npm run packages');
  process.exit(1);
}
const out = resolve(values.out);
for (const name of names) {
  for (const staged of makers[name](out)) console.log(`${staged.name}@${staged.version}: ${staged.folder}`);
}
