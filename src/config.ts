import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from './config/config-error.js';
import { crossCheck } from './config/cross-checks.js';
import { type Environment, readEnvironment } from './config/environment.js';
import { checkFiles } from './config/file-checks.js';
import { readFlags } from './config/flags.js';
import { type Given, problemWith, type SourceReading } from './config/given.js';
import { knobs } from './config/knobs.js';
import { configSchema, type Settings } from './config/schema.js';
import { readYamlFile } from './config/yaml-file.js';

/** All settings, checked and frozen, in sections; a part takes its section or less. */
export type Config = { readonly [S in keyof Settings]: Readonly<Settings[S]> } & {
  /** `dir`: absolute. */
  readonly models: { readonly dir: string };
  /** `intraOpThreads`: never 0. */
  readonly runtime: { readonly intraOpThreads: number };
};

const ownModelsDir = fileURLToPath(new URL('../../models', import.meta.url));

/**
 * Puts the settings together: flags win over the environment, which wins over `.env`, which wins over the YAML file,
 * which wins over the defaults.
 * @throws ConfigError with a sentence for each thing wrong
 */
export async function loadConfig(sources: {
  /** Flags alone, without node, script and command. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** Where `.env` lies and relative paths start. */
  readonly cwd: string;
}): Promise<Config> {
  const { argv, env, cwd } = sources;
  const flags = readFlags(argv);
  const environment = readEnvironment(env, cwd);
  const file = flags.configFile ?? environment.configFile;
  const yaml: SourceReading =
    file === undefined ? { given: [], problems: [] } : await readYamlFile(file, cwd);

  // Weakest first, so that the last one set is the one that counts.
  const given = [...yaml.given, ...environment.given, ...flags.given];
  const winners = new Map(given.map((one) => [one.knob.path, one]));
  // A wrong value stops the start even where a stronger source hides it: it would surface when that one goes.
  const wrong = given.map(problemWith).filter((problem) => problem !== undefined);
  const problems = [...flags.problems, ...environment.problems, ...yaml.problems, ...wrong];
  if (problems.length > 0) throw new ConfigError(problems);

  const settings = configSchema.parse(assemble(winners.values()));
  const nameOf = (path: string) => winners.get(path)?.label ?? variableOf(path);
  const conflicts = [...crossCheck(settings, nameOf), ...checkFiles(settings, cwd, nameOf)];
  if (conflicts.length > 0) throw new ConfigError(conflicts);
  return deepFreeze(complete(settings, cwd));
}

function assemble(given: Iterable<Given>): Record<string, Record<string, unknown>> {
  const sections = Object.keys(configSchema.shape);
  const values: Record<string, Record<string, unknown>> = Object.fromEntries(
    sections.map((name) => [name, {}]),
  );
  for (const { knob, value } of given) values[knob.section] = { ...values[knob.section], [knob.key]: value };
  return values;
}

function complete(settings: Settings, cwd: string): Config {
  const { models, runtime, redis, log } = settings;
  const coresEach = Math.max(1, Math.floor(availableParallelism() / Math.max(1, runtime.instances)));
  return {
    ...settings,
    models: { ...models, dir: models.dir === undefined ? ownModelsDir : resolve(cwd, models.dir) },
    runtime: { ...runtime, intraOpThreads: runtime.intraOpThreads || coresEach },
    redis: redis.caFile === undefined ? redis : { ...redis, caFile: resolve(cwd, redis.caFile) },
    log: log.traceArrivals === undefined ? log : { ...log, traceArrivals: resolve(cwd, log.traceArrivals) },
  };
}

function variableOf(path: string): string {
  return knobs.find((knob) => knob.path === path)?.variable ?? path;
}

function deepFreeze(config: Config): Config {
  for (const section of Object.values(config)) Object.freeze(section);
  return Object.freeze(config);
}
