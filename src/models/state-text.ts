import { isJsonObject } from './json-file.js';
import { modelNamePattern } from './model-name.js';
import { aliasPattern, maxAliases, type Routing, type Routings, versionPattern } from './routing.js';
import { runsOf, type Share, type Traffic, trafficOf } from './traffic.js';

/** Raise it when what the file says changes its meaning. */
const FORMAT = 1;

/** Routings as the state file keeps them, for people to read. */
export function stateText(routings: Routings): string {
  const models = [...routings]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { traffic, aliases }]) => [
      name,
      {
        ...(traffic === undefined ? {} : { traffic: runsOf(traffic) }),
        ...(aliases.size === 0 ? {} : { aliases: Object.fromEntries([...aliases].sort()) }),
      },
    ]);
  return `${JSON.stringify({ format: FORMAT, models: Object.fromEntries(models) }, undefined, 2)}\n`;
}

type Reading<T> = T | { readonly problem: string };

/** What the text says, or what is wrong with it: `is not valid JSON`. */
export function readStateText(text: string): Reading<{ readonly routings: Routings }> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'is not valid JSON' };
  }
  const found = routingsIn(value);
  // Of two values for one name JSON.parse keeps the last: the other one was meant too.
  if ('routings' in found && namesIn(text) !== namesWithin(value)) return { problem: 'says something twice' };
  return found;
}

/** @param text valid JSON @returns how many names of members it holds */
function namesIn(text: string): number {
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"\s*(:)?/g)].filter(([, colon]) => colon !== undefined).length;
}

/** @param value no deeper than what has been read */
function namesWithin(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, member) => sum + namesWithin(member), own);
}

function routingsIn(value: unknown): Reading<{ readonly routings: Routings }> {
  if (!isJsonObject(value)) return { problem: 'must hold a JSON object' };
  const { format, models, ...others } = value;
  if (format !== FORMAT) return { problem: `has a format other than ${FORMAT}, the only one that is known` };
  const stranger = Object.keys(others)[0];
  if (stranger !== undefined) return { problem: 'holds more than format and models' };
  if (!isJsonObject(models)) return { problem: 'must hold models as an object' };
  const routings = new Map<string, Routing>();
  for (const [name, routing] of Object.entries(models)) {
    if (!modelNamePattern.test(name))
      return { problem: `names a model that does not match ${modelNamePattern.source}` };
    const found = routingIn(routing);
    if ('problem' in found) return { problem: `says of ${name} what makes no sense: ${found.problem}` };
    routings.set(name, found);
  }
  return { routings };
}

function routingIn(value: unknown): Reading<Routing> {
  if (!isJsonObject(value)) return { problem: 'it must be an object' };
  const { traffic, aliases = {}, ...others } = value;
  if (Object.keys(others).length > 0) return { problem: 'it may hold traffic and aliases alone' };
  const divided = traffic === undefined ? undefined : trafficIn(traffic);
  if (divided !== undefined && 'problem' in divided) return divided;
  if (!isJsonObject(aliases)) return { problem: 'aliases must be an object' };
  const named = new Map<string, string>();
  for (const [alias, version] of Object.entries(aliases)) {
    if (!aliasPattern.test(alias)) return { problem: `an alias must match ${aliasPattern.source}` };
    if (typeof version !== 'string' || !versionPattern.test(version))
      return { problem: `the alias ${alias} must stand for a version` };
    named.set(alias, version);
  }
  if (named.size > maxAliases) return { problem: `there may be at most ${maxAliases} aliases` };
  return { traffic: divided, aliases: named };
}

function trafficIn(value: unknown): Reading<Traffic> {
  const rule = 'traffic must be a list of versions with whole percent above 0, 100 together';
  if (!Array.isArray(value) || !value.every(isShare)) return { problem: rule };
  return trafficOf(value) ?? { problem: rule };
}

function isShare(value: unknown): value is Share {
  if (!isJsonObject(value)) return false;
  const { version, percent, ...others } = value;
  return (
    typeof version === 'string' &&
    versionPattern.test(version) &&
    typeof percent === 'number' &&
    Number.isInteger(percent) &&
    percent > 0 &&
    Object.keys(others).length === 0
  );
}
