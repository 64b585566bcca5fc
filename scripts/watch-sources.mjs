import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** An editor, or git, writes several files. */
const SETTLED_MS = 200;

/** @returns {Promise<boolean>} whether it compiled without an error; what has type errors is written all the same */
export async function build() {
  const child = spawn(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return code === 0;
}

/**
 * Compiles again whenever a source changes. One build at a time: what changes meanwhile makes another one.
 *
 * @param {readonly string[]} folders relative to the repository
 * @param {(ok: boolean) => Promise<void> | void} onBuilt
 * @returns {() => Promise<void>} stops watching; waits for a build under way
 */
export function watchSources(folders, onBuilt) {
  let timer;
  let work = Promise.resolve();
  let isStopped = false;
  const onChange = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      work = work.then(async () => {
        if (isStopped) return;
        const ok = await build();
        if (!isStopped) await onBuilt(ok);
      });
    }, SETTLED_MS);
  };
  const watchers = folders.map((folder) =>
    watch(join(root, folder), { recursive: true }, (_, name) => {
      if (name?.endsWith('.ts')) onChange();
    }),
  );
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
    await work;
  };
}
