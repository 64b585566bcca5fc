import { resolve } from 'node:path';
import { fromText, type Given, type SourceReading } from './given.js';
import { knobs } from './knobs.js';
import { didYouMean } from './nearest.js';
import { readSettingsFile } from './read-settings-file.js';

const byPath = new Map(knobs.map((knob) => [knob.path, knob]));
const sections = new Set(knobs.map(({ section }) => section));

/** Reads the settings of a YAML file: a mapping of sections, each a mapping of keys. */
export async function readYamlFile(name: string, cwd: string): Promise<SourceReading> {
  const file = readSettingsFile(resolve(cwd, name));
  if ('trouble' in file) return { given: [], problems: [`The configuration file ${name} ${file.trouble}.`] };
  // Loaded here alone: most starts have no file, and the parser costs tens of milliseconds.
  const { parseDocument } = await import('yaml');
  try {
    const document = parseDocument(file.content);
    const [error] = document.errors;
    if (error === undefined) return collect(document.toJS() as unknown, name);
    // The parser's own message quotes the line, which may hold a password.
    const line = error.linePos?.[0].line ?? 1;
    return { given: [], problems: [`${name} is not valid YAML: ${error.code} at line ${line}.`] };
  } catch (error) {
    return { given: [], problems: [`${name} is not usable YAML: ${misuse(error)}.`] };
  }
}

/** What the parser throws where it does not count it among the document's errors: references, and depth. */
function misuse(error: unknown): string {
  return error instanceof ReferenceError
    ? 'an alias (*name) has no anchor (&name) before it, or aliases multiply to far more than the file holds'
    : 'it is nested too deeply, or in itself';
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
        const knob = byPath.get(path);
        if (knob === undefined) {
          problems.push(`${path} in ${name} is not a setting.${didYouMean(path, byPath.keys())}`);
        } else if (value !== null) {
          given.push({ knob, value: typed(knob, value), label: `${path} in ${name}` });
        }
      }
    }
  }
  return { given, problems };
}

function typed(knob: Given['knob'], value: unknown): unknown {
  return typeof value === 'string' ? fromText(knob, value) : value;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
