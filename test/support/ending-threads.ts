import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a worker thread does when a file of that name appears beside this program. */
const PRELOAD = `const { isMainThread } = require('node:worker_threads');
const { existsSync, unlinkSync } = require('node:fs');
function taken(word) {
  const path = __dirname + '/' + word;
  if (!existsSync(path)) return false;
  try { unlinkSync(path); return true; } catch { return false; }
}
if (!isMainThread) {
  setInterval(() => {
    if (taken('exit')) process.exit(3);
    if (taken('throw')) throw new Error('boom');
    if (taken('spin')) for (;;);
  }, 10).unref();
}`;

/**
 * Settings of a server whose tokeniser threads come to grief on command: a file `exit`, `throw` or `spin` in the folder
 * is the command to one of them, whatever it is doing.
 */
export function endingThreads(folder: string): Readonly<Record<string, string>> {
  const path = join(folder, 'preload.cjs');
  writeFileSync(path, PRELOAD);
  return { NODE_OPTIONS: `--require=${path}` };
}
