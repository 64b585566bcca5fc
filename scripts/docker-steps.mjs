// `node scripts/docker-steps.mjs [target]`: runs the steps of a Dockerfile target (default: cpu) without Docker, in a
// new folder, then starts the server from what came out, runs the image's health check and stops it. It shows that
// the steps work and that what they leave serves; not that the base images have what the steps need.
//   --keep                keeps the folder and prints where it is
//   --stage NAME=FOLDER   takes FOLDER for a stage's file system instead of running its steps; may be repeated
//   --no-server           ends after the steps
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { askHealth } from './docker/ask-health.mjs';
import { buildContext } from './docker/build-context.mjs';
import { readDockerfile } from './docker/read-dockerfile.mjs';
import { StageRunner } from './docker/stage-runner.mjs';

const repository = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keep: { type: 'boolean', default: false },
    stage: { type: 'string', multiple: true, default: [] },
    'no-server': { type: 'boolean', default: false },
  },
});
const target = positionals[0] ?? 'cpu';
const folder = await mkdtemp(join(tmpdir(), 'verdict-image-'));
const startedAt = performance.now();
const say = (line) => console.log(`[${((performance.now() - startedAt) / 1000).toFixed(1)} s] ${line}`);
try {
  const runner = new StageRunner({
    stages: readDockerfile(await readFile(join(repository, 'Dockerfile'), 'utf8')),
    context: buildContext(repository),
    repository,
    folder,
    given: Object.fromEntries(values.stage.map((pair) => pair.split(/=(.*)/s, 2))),
    onStep: say,
  });
  const image = await runner.build(target);
  if (!values['no-server']) {
    say(`${target}: starting the server`);
    // The image's user looks into it, too.
    await chmod(folder, 0o755);
    const user = await askHealth(image);
    say(`${target}: healthy as user ${user}, stopped cleanly, wrote nothing into its files`);
  }
} catch (error) {
  say(`failed: ${error.message}`);
  process.exitCode = 1;
} finally {
  if (values.keep) say(`kept: ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}
