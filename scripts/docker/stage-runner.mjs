import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { runCommand } from '../tools/run-command.mjs';

const RUN_TIMEOUT_MS = 600_000;

/**
 * Runs the steps of Dockerfile stages in plain folders: a folder per stage takes the place of its file system, the
 * programs of this machine that of the base image's. COPY and WORKDIR stay inside the folder; RUN is trusted to use
 * paths relative to WORKDIR.
 */
export class StageRunner {
  #stages;
  #context;
  #repository;
  #folder;
  #given;
  #onStep;
  #built = new Map();

  /**
   * @param {{ stages: import('./read-dockerfile.mjs').Stage[], context: string[], repository: string, folder: string,
   *   given?: Record<string, string>, onStep?: (line: string) => void }} options `given`: folders that hold the whole
   *   file system of a stage, for stages that cannot be run here
   */
  constructor({ stages, context, repository, folder, given = {}, onStep = () => {} }) {
    this.#stages = new Map(stages.map((stage) => [stage.name, stage]));
    this.#context = context;
    this.#repository = repository;
    this.#folder = folder;
    this.#given = given;
    this.#onStep = onStep;
  }

  /**
   * Runs a stage and those that it needs, each once.
   *
   * @param {string} name
   * @returns {Promise<{ root: string, workdir: string, env: Record<string, string>, entrypoint?: string[],
   *   healthcheck?: string[], user?: string }>}
   */
  build(name) {
    let built = this.#built.get(name);
    if (built === undefined) {
      built = this.#build(name);
      this.#built.set(name, built);
    }
    return built;
  }

  async #build(name) {
    const given = this.#given[name];
    const stage = this.#stages.get(name);
    if (stage === undefined) throw new Error(`no stage is called ${name}`);
    if (given !== undefined) return { ...this.#described(stage), root: given };
    const image = { root: join(this.#folder, name), workdir: '/', env: {} };
    if (this.#stages.has(stage.base)) {
      const base = await this.build(stage.base);
      Object.assign(image, { ...base, root: image.root, env: { ...base.env } });
      await cp(base.root, image.root, { recursive: true, verbatimSymlinks: true });
    }
    Object.assign(image, pick(stage, ['entrypoint', 'healthcheck', 'user']));
    await mkdir(image.root, { recursive: true });
    for (const step of stage.steps) await this.#step(step, image, name);
    return image;
  }

  /** What a stage says about the processes that it starts, without its files. */
  #described(stage) {
    const base = this.#stages.get(stage.base);
    const image = { workdir: '/', env: {}, ...(base === undefined ? {} : this.#described(base)) };
    for (const step of stage.steps) {
      if (step.keyword === 'WORKDIR') image.workdir = posix.resolve(image.workdir, step.path);
      else if (step.keyword === 'ENV') image.env = { ...image.env, ...Object.fromEntries(step.entries) };
    }
    return { ...image, ...pick(stage, ['entrypoint', 'healthcheck', 'user']) };
  }

  async #step(step, image, name) {
    switch (step.keyword) {
      case 'WORKDIR':
        image.workdir = posix.resolve(image.workdir, step.path);
        await mkdir(join(image.root, image.workdir), { recursive: true });
        return;
      case 'ENV':
        Object.assign(image.env, Object.fromEntries(step.entries));
        return;
      case 'COPY':
        this.#onStep(`${name}: COPY ${step.sources.join(' ')}`);
        for (const source of step.sources) await this.#copy(step, source, image);
        return;
      default:
        this.#onStep(`${name}: RUN ${step.script}`);
        await run(step.script, image, name);
    }
  }

  async #copy({ from, destination, sources }, source, image) {
    const target = join(image.root, posix.resolve(image.workdir, destination));
    if (from === undefined) {
      await this.#copyFromContext(source, target, destination.endsWith('/') || sources.length > 1);
      return;
    }
    const path = join((await this.build(from)).root, source);
    const isFolder = (await stat(path)).isDirectory();
    const into = isFolder || !destination.endsWith('/') ? target : join(target, basename(source));
    await mkdir(dirname(into), { recursive: true });
    await cp(path, into, { recursive: true, verbatimSymlinks: true });
  }

  async #copyFromContext(source, target, isFolder) {
    const name = posix.normalize(source);
    const files = this.#context.filter((path) => path === name || path.startsWith(`${name}/`));
    if (files.length === 0) throw new Error(`COPY ${source}: the build context has no such file`);
    for (const path of files) {
      const inside = path === name ? (isFolder ? basename(path) : '') : path.slice(name.length + 1);
      await mkdir(dirname(join(target, inside)), { recursive: true });
      await cp(join(this.#repository, path), join(target, inside));
    }
  }
}

async function run(script, image, name) {
  const done = await runCommand('sh', ['-ec', script], {
    timeoutMs: RUN_TIMEOUT_MS,
    cwd: join(image.root, image.workdir),
    env: processEnvironment(image),
  });
  if (!done.ok) throw new Error(`${name}: RUN ${script}: ${done.reason}`);
}

/**
 * What a process in the image sees: the image's own environment, paths into its file system turned into paths into the
 * folder, and of this machine what finds programs and npm's registry and cache.
 *
 * @param {{ root: string, env: Record<string, string> }} image
 */
export function processEnvironment({ root, env }) {
  const host = Object.entries(process.env).filter(([key]) =>
    /^(PATH|HOME|TMPDIR|LANG|npm_config_(registry|cache)|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i.test(
      key,
    ),
  );
  const own = Object.entries(env).map(([key, value]) => [
    key,
    value
      .split(':')
      .map((path) => (path.startsWith('/') && existsSync(join(root, path)) ? join(root, path) : path))
      .join(':'),
  ]);
  return { ...Object.fromEntries(host), npm_config_prefer_offline: 'true', ...Object.fromEntries(own) };
}

/**
 * Every file under a folder with its size and time, to see whether a process wrote there.
 *
 * @param {string} folder
 * @returns {Promise<string[]>}
 */
export async function listing(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const stats = await Promise.all(files.map(async (path) => ({ path, ...(await stat(path)) })));
  return stats.map(({ path, size, mtimeMs }) => `${path} ${size} ${mtimeMs}`).sort();
}

function pick(object, keys) {
  return Object.fromEntries(keys.filter((key) => object[key] !== undefined).map((key) => [key, object[key]]));
}
