import { isJsonObject } from './json-file.js';
import { modelNamePattern } from './model-name.js';
import {
  aliasPattern,
  maxAliases,
  type Rollback,
  type RollbackRule,
  type Routing,
  type Routings,
  rollbackBounds,
  type Shadow,
  versionPattern,
} from './routing.js';
import { runsOf, type Share, type Traffic, trafficOf } from './traffic.js';

/** Raise it when what the file says changes its meaning. */
const FORMAT = 1;

/** Later than any clock that is right: the year 2286. */
const LATEST_MS = 1e13;

/** Routings as the state file keeps them, for people to read. */
export function stateText(routings: Routings): string {
  const models = [...routings]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { traffic, aliases, shadow, rollback }]) => [
      name,
      {
        ...(traffic === undefined ? {} : { traffic: runsOf(traffic) }),
        ...(aliases.size === 0 ? {} : { aliases: Object.fromEntries([...aliases].sort()) }),
        ...(shadow === undefined ? {} : { shadow }),
        ...(rollback === undefined ? {} : { rollback }),
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
  if (Object.keys(others).length > 0) return { problem: 'holds more than format and models' };
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
  const { traffic, aliases = {}, shadow, rollback, ...others } = value;
  if (Object.keys(others).length > 0)
    return { problem: 'it may hold traffic, aliases, shadow and rollback alone' };
  const divided = traffic === undefined ? undefined : trafficIn(traffic);
  if (divided !== undefined && 'problem' in divided) return divided;
  const named = aliasesIn(aliases);
  if ('problem' in named) return named;
  const shadowed = shadow === undefined ? undefined : shadowIn(shadow);
  if (shadowed !== undefined && 'problem' in shadowed) return shadowed;
  const rule = rollback === undefined ? undefined : ruleIn(rollback);
  if (rule !== undefined && 'problem' in rule) return rule;
  return {
    traffic: divided,
    aliases: named,
    ...(shadowed === undefined ? {} : { shadow: shadowed }),
    ...(rule === undefined ? {} : { rollback: rule }),
  };
}

function aliasesIn(value: unknown): Reading<ReadonlyMap<string, string>> {
  if (!isJsonObject(value)) return { problem: 'aliases must be an object' };
  const named = new Map<string, string>();
  for (const [alias, version] of Object.entries(value)) {
    if (!aliasPattern.test(alias)) return { problem: `an alias must match ${aliasPattern.source}` };
    if (!isVersion(version)) return { problem: `the alias ${alias} must stand for a version` };
    named.set(alias, version);
  }
  if (named.size > maxAliases) return { problem: `there may be at most ${maxAliases} aliases` };
  return named;
}

function trafficIn(value: unknown): Reading<Traffic> {
  const rule = 'traffic must be a list of versions with whole percent above 0, 100 together';
  if (!Array.isArray(value) || !value.every(isShare)) return { problem: rule };
  return trafficOf(value) ?? { problem: rule };
}

function isShare(value: unknown): value is Share {
  if (!isJsonObject(value)) return false;
  const { version, percent, ...others } = value;
  return isVersion(version) && isWhole(percent, 1) && Object.keys(others).length === 0;
}

function shadowIn(value: unknown): Reading<Shadow> {
  const rule = 'shadow must hold a version, a whole percent from 1 to 100, and when it was set';
  if (!isJsonObject(value)) return { problem: rule };
  const { version, percent, setAt, ...others } = value;
  const isShadow = isVersion(version) && isWhole(percent, 1, 100) && isTime(setAt);
  return isShadow && Object.keys(others).length === 0 ? { version, percent, setAt } : { problem: rule };
}

function ruleIn(value: unknown): Reading<RollbackRule> {
  if (!isJsonObject(value)) return { problem: 'rollback must be an object' };
  const { version, stable, maxErrorPercent, maxFlipPercent, ...more } = value;
  const { minObservations, windowSeconds, setAt, rolledBack, ...others } = more;
  const { observations, windowSeconds: window } = rollbackBounds;
  if (Object.keys(others).length > 0) return { problem: 'rollback holds more than it may' };
  if (!isVersion(version) || !isVersion(stable) || version === stable)
    return { problem: 'rollback must name two versions' };
  if (!isLimit(maxErrorPercent) || !isLimit(maxFlipPercent))
    return {
      problem: `the limits of rollback must be from 0 to below ${rollbackBounds.percentBelow} percent`,
    };
  if (maxErrorPercent === undefined && maxFlipPercent === undefined)
    return { problem: 'rollback must have a limit' };
  if (!isWhole(minObservations, observations.min, observations.max))
    return { problem: `rollback must have ${observations.min} to ${observations.max} minObservations` };
  if (!isWhole(windowSeconds, window.min, window.max))
    return { problem: `rollback must have ${window.min} to ${window.max} windowSeconds` };
  if (!isTime(setAt)) return { problem: 'rollback must say when it was set' };
  const happened = rolledBack === undefined ? undefined : rolledBackIn(rolledBack);
  if (happened !== undefined && 'problem' in happened) return happened;
  return {
    ...{ version, stable, maxErrorPercent, maxFlipPercent, minObservations, windowSeconds, setAt },
    rolledBack: happened,
  };
}

function rolledBackIn(value: unknown): Reading<Rollback> {
  const rule = 'rolledBack must hold at, cause, count and observations';
  if (!isJsonObject(value)) return { problem: rule };
  const { at, cause, count, observations, ...others } = value;
  if (cause !== 'errors' && cause !== 'flips') return { problem: rule };
  const isCounted = isWhole(count, 0) && isWhole(observations, 0);
  return isTime(at) && isCounted && Object.keys(others).length === 0
    ? { at, cause, count, observations }
    : { problem: rule };
}

function isVersion(value: unknown): value is string {
  return typeof value === 'string' && versionPattern.test(value);
}

function isWhole(value: unknown, min: number, max = 2 ** 32 - 1): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

function isTime(value: unknown): value is number {
  return isWhole(value, 0, LATEST_MS);
}

function isLimit(value: unknown): value is number | undefined {
  if (value === undefined) return true;
  return typeof value === 'number' && value >= 0 && value < rollbackBounds.percentBelow;
}
