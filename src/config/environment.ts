import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { fromText, type Given, type SourceReading } from './given.js';
import { didYouMean } from './nearest.js';
import { readSettingsFile } from './read-settings-file.js';
import { configFile, settings, variablePrefix } from './settings.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const known = new Set([...settings.map(({ variable }) => variable), configFile.variable]);

/** Reads the variables of the process, and for those that it lacks, `.env` in the working directory. */
export function readEnvironment(env: Environment, cwd: string): SourceReading {
  const { variables: file, problems } = readDotenv(cwd);
  const given: Given[] = [];
  // An empty variable counts as not set, because compose files produce empty ones; it still hides the one in .env.
  const lookUp = (name: string) => {
    const value = env[name] ?? file[name];
    if (value === undefined || value === '' || isServiceLink(name, value)) return undefined;
    return { value, label: env[name] === undefined ? `${name} in .env` : name };
  };
  for (const setting of settings) {
    const found =
      lookUp(setting.variable) ?? (setting.alias === undefined ? undefined : lookUp(setting.alias));
    if (found !== undefined)
      given.push({ setting, value: fromText(setting, found.value), label: found.label });
  }
  const configPath = lookUp(configFile.variable)?.value;
  return {
    given,
    problems: [...problems, ...unknownNames(env, ''), ...unknownNames(file, ' in .env')],
    ...(configPath === undefined ? {} : { configFile: configPath }),
  };
}

function unknownNames(variables: Environment, where: string): string[] {
  return Object.entries(variables)
    .filter(
      ([name, value]) => name.startsWith(variablePrefix) && !known.has(name) && !isServiceLink(name, value),
    )
    .map(([name]) => `${name}${where} is not a setting.${didYouMean(name, known)}`);
}

/**
 * Kubernetes gives every pod the address of each Service in its namespace. A Service named `verdict` yields
 * `VERDICT_SERVICE_HOST` and, with the name of our port setting, `VERDICT_PORT=tcp://10.0.0.1:50051`.
 */
function isServiceLink(name: string, value: string | undefined): boolean {
  if (/_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true;
  return name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value ?? '');
}

function readDotenv(cwd: string): { variables: Environment; problems: string[] } {
  const path = join(cwd, '.env');
  if (!existsSync(path)) return { variables: {}, problems: [] };
  const file = readSettingsFile(path);
  if ('trouble' in file)
    return { variables: {}, problems: [`.env in the working directory ${file.trouble}.`] };
  return { variables: parseEnv(file.content), problems: [] };
}
