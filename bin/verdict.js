#!/usr/bin/env node
// Runs the built command line. In a clone it builds it first where that is needed; an installed package has no
// sources and is built already.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const entry = join(root, 'dist', 'src', 'cli', 'main.js');

let exitCode = 0;
if (existsSync(join(root, 'src'))) {
  const { ensureBuilt } = await import('./ensure-built.js');
  exitCode = await ensureBuilt(root);
} else if (!existsSync(entry)) {
  // `npm pack` in a clone takes neither sources nor build.
  process.stderr.write(
    'verdict: this package holds no build. In a clone, `npm run packages` makes one that does\n',
  );
  exitCode = 70;
}
if (exitCode === 0) await import(pathToFileURL(entry).href);
else process.exitCode = exitCode;
