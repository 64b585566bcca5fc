// Writes the code in clients/go/ from proto/, with the plugins that clients/go/go.mod pins. Needs Go; without it the code
// stays as it is, which is said. Apart from generate.mjs, because not every machine has Go: the tests of the Go client
// check that the code is up to date.
//   --out FOLDER   writes into FOLDER/clients/go
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { provision } from './tools/provision.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({ options: { out: { type: 'string', default: root } } });

const go = await provision('go');
if ('unavailable' in go) {
  console.error(`clients/go was left out: Go is unavailable: ${go.unavailable}`);
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
const out = resolve(values.out);
rmSync(join(out, 'clients/go/verdict'), { recursive: true, force: true });
execFileSync(
  join(root, 'node_modules/.bin/buf'),
  ['generate', '--template', 'clients/go/buf.gen.yaml', '--output', out],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: `${dirname(go.path)}${delimiter}${process.env.PATH}` },
  },
);
