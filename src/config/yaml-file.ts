import { resolve } from 'node:path';
import { fromText, type Given, type SourceReading } from './given.js';
import { didYouMean } from './nearest.js';
import { parseYaml } from './parse-yaml.js';
import { readSettingsFile } from './read-settings-file.js';
import { settings } from './settings.js';

const byPath = new Map(settings.map((setting) => [setting.path, setting]));
const sections = new Set(settings.map(({ section }) => section));

/** Reads the settings of a YAML file: a mapping of sections, each a mapping of keys. */
export async function readYamlFile(name: string, cwd: string): Promise<SourceReading> {
  const file = readSettingsFile(resolve(cwd, name));
  if ('trouble' in file) return { given: [], problems: [`The configuration file ${name} ${file.trouble}.`] };
  const parsed = await parseYaml(file.content, name);
  return 'problem' in parsed ? { given: [], problems: [parsed.problem] } : collect(parsed.value, name);
}

function collect(root: unknown, name: string): SourceReading {
  const given: Given[] = [];
  const problems: string[] = [];
  if (root === null) return { given, problems };
  if (!isMapping(root)) return { given, problems: [`${name} must hold a mapping of sections.`] };
  for (const [section, values] of Object.entries(root)) {
    if (!sections.has(section)) {
      problems.push(`${section} in ${name} is not a section.${didYouMean(section, sections)}`);
    } else if (values !== null && !isMapping(values)) {
      problems.push(`${section} in ${name} must be a mapping of settings.`);
    } else {
      for (const [key, value] of Object.entries(values ?? {})) {
        const path = `${section}.${key}`;
        const setting = byPath.get(path);
        if (setting === undefined) {
          problems.push(`${path} in ${name} is not a setting.${didYouMean(path, byPath.keys())}`);
        } else if (value !== null) {
          given.push({ setting, value: typed(setting, value), label: `${path} in ${name}` });
        }
      }
    }
  }
  return { given, problems };
}

function typed(setting: Given['setting'], value: unknown): unknown {
  return typeof value === 'string' ? fromText(setting, value) : value;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
