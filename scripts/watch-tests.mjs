import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { watchSources } from './watch-sources.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Compiles again whenever a source changes, and runs those of the test files again that import what changed. Until
 * Ctrl-C.
 *
 * @param {readonly string[]} files compiled test files
 * @returns {Promise<void>}
 */
export async function watchTests(files) {
  const tests = spawn(process.execPath, ['--test', '--watch', '--test-concurrency=2', ...files], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(tests, 'exit');
  const stopWatching = watchSources(
    ['src', 'clients/typescript/src', 'generated', 'test', 'bench'],
    () => {},
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => tests.kill('SIGTERM'));
  await ended;
  await stopWatching();
}
