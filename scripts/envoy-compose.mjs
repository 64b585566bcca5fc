// Writes deploy/compose/envoy.yaml, which is deploy/envoy/envoy.yaml for containers: it listens on every interface and
// finds Verdict by name. `--check` writes nothing and fails when the file is not up to date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'deploy/compose/envoy.yaml');

const head = `# deploy/envoy/envoy.yaml for containers, written by scripts/envoy-compose.mjs: change that one. The descriptor set
# is read from generated/ below the working directory.
`;

const changes = [
  // What that file says of itself.
  [/^(#.*\n)+/, head],
  [/address: 127\.0\.0\.1, port_value: 8080/, 'address: 0.0.0.0, port_value: 8080'],
  [/address: 127\.0\.0\.1, port_value: 50051/, 'address: verdict, port_value: 50051'],
];

let text = readFileSync(join(root, 'deploy/envoy/envoy.yaml'), 'utf8');
for (const [from, to] of changes) {
  if (!from.test(text)) throw new Error(`deploy/envoy/envoy.yaml has no ${from}`);
  text = text.replace(from, to);
}
if (process.argv.includes('--check')) {
  if (text !== readFileSync(target, 'utf8')) {
    console.error(`${target} is not up to date, run 'node scripts/envoy-compose.mjs'`);
    process.exitCode = 1;
  }
} else {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}
