import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from './config/config-error.js';
import { crossCheck } from './config/cross-checks.js';
import { type Environment, readEnvironment } from './config/environment.js';
import { checkFiles } from './config/file-checks.js';
import { readFlags } from './config/flags.js';
import { type Given, problemWith, type SourceReading } from './config/given.js';
import { configSchema, type SettingValues } from './config/schema.js';
import { settings } from './config/settings.js';
import { readYamlFile } from './config/yaml-file.js';

/** All settings, checked and frozen, in sections; a part takes its section or less. */
export type Config = { readonly [S in keyof SettingValues]: Readonly<SettingValues[S]> } & {
  /** `dir`, `stateFile`: absolute. */
  readonly models: { readonly dir: string; readonly stateFile: string };
  /** `intraOpThreads`: never 0. */
  readonly runtime: { readonly intraOpThreads: number };
};

/** The models folder of the package: the one that is served where nobody names another. */
export const ownModelsDir = fileURLToPath(new URL('../../models', import.meta.url));

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
  /** Whether the files that settings name are looked at: not by those who only ask where a server is. They are. */
  readonly checksFiles?: boolean;
}): Promise<Config> {
  const { argv, env, cwd, checksFiles = true } = sources;
  const flags = readFlags(argv);
  const environment = readEnvironment(env, cwd);
  const file = flags.configFile ?? environment.configFile;
  const yaml: SourceReading =
    file === undefined ? { given: [], problems: [] } : await readYamlFile(file, cwd);

  // Weakest first, so that the last one set is the one that counts.
  const given = [...yaml.given, ...environment.given, ...flags.given];
  const winners = new Map(given.map((one) => [one.setting.path, one]));
  // A wrong value stops the start even where a stronger source hides it: it would surface when that one goes.
  const wrong = given.map(problemWith).filter((problem) => problem !== undefined);
  const problems = [...flags.problems, ...environment.problems, ...yaml.problems, ...wrong];
  if (problems.length > 0) throw new ConfigError(problems);

  const values = configSchema.parse(assemble(winners.values()));
  const nameOf = (path: string) => winners.get(path)?.label ?? variableOf(path);
  const fileProblems = checksFiles ? await checkFiles(values, cwd, nameOf) : [];
  const conflicts = [...crossCheck(values, nameOf), ...fileProblems];
  if (conflicts.length > 0) throw new ConfigError(conflicts);
  return deepFreeze(complete(values, cwd));
}

function assemble(given: Iterable<Given>): Record<string, Record<string, unknown>> {
  const sections = Object.keys(configSchema.shape);
  const values: Record<string, Record<string, unknown>> = Object.fromEntries(
    sections.map((name) => [name, {}]),
  );
  for (const { setting, value } of given)
    values[setting.section] = { ...values[setting.section], [setting.key]: value };
  return values;
}

function complete(values: SettingValues, cwd: string): Config {
  const { models, runtime, tls, auth, redis, log } = values;
  const absolute = (path: string | undefined) => (path === undefined ? undefined : resolve(cwd, path));
  const coresEach = Math.max(1, Math.floor(availableParallelism() / Math.max(1, runtime.instances)));
  const dir = absolute(models.dir) ?? ownModelsDir;
  return {
    ...values,
    models: { ...models, dir, stateFile: absolute(models.stateFile) ?? resolve(dir, '.state.json') },
    runtime: { ...runtime, intraOpThreads: runtime.intraOpThreads || coresEach },
    tls: {
      ...tls,
      cert: absolute(tls.cert),
      key: absolute(tls.key),
      clientCa: absolute(tls.clientCa),
    },
    auth: { ...auth, keysFile: absolute(auth.keysFile) },
    redis: redis.caFile === undefined ? redis : { ...redis, caFile: resolve(cwd, redis.caFile) },
    log: log.traceArrivals === undefined ? log : { ...log, traceArrivals: resolve(cwd, log.traceArrivals) },
  };
}

function variableOf(path: string): string {
  return settings.find((setting) => setting.path === path)?.variable ?? path;
}

function deepFreeze(config: Config): Config {
  for (const section of Object.values(config)) Object.freeze(section);
  return Object.freeze(config);
}
