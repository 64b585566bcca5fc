import type { Traffic } from './traffic.js';

/** What is set about where requests for a model go. What it says of versions that are not loaded has no effect until they are. */
export interface Routing {
  /** Undefined: all requests that name no version go to the highest one. */
  readonly traffic: Traffic | undefined;
  /** Versions by alias. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Undefined: no version runs in the shadow. */
  readonly shadow?: Shadow | undefined;
  /** Undefined: no candidate loses its traffic. */
  readonly rollback?: RollbackRule | undefined;
}

/** A version that is asked a sample of what other versions have answered. */
export interface Shadow {
  readonly version: string;
  /** Of what others have answered, in whole percent from 1. */
  readonly percent: number;
  /** Unix time in milliseconds. */
  readonly setAt: number;
}

/** What a candidate is judged by. */
export interface RollbackLimits {
  /** The candidate. */
  readonly version: string;
  /** The version that gets the candidate's share. */
  readonly stable: string;
  /** The highest share of inputs that may fail, in percent; undefined: failures do not matter. */
  readonly maxErrorPercent: number | undefined;
  /** The highest share of inputs that may get other labels than from the stable version; undefined: labels do not matter. */
  readonly maxFlipPercent: number | undefined;
  /** The fewest inputs that a limit is judged by. */
  readonly minObservations: number;
  /** How far back inputs count. */
  readonly windowSeconds: number;
}

/** When a candidate loses its traffic. */
export interface RollbackRule extends RollbackLimits {
  /** Unix time in milliseconds. */
  readonly setAt: number;
  /** That it has; undefined: the rule is armed. */
  readonly rolledBack: Rollback | undefined;
}

/** Which limit was passed. */
export type RollbackCause = 'errors' | 'flips';

/** What a limit was passed by. */
export interface RollbackEvidence {
  readonly cause: RollbackCause;
  /** Inputs that failed, or got other labels. */
  readonly count: number;
  /** Inputs that were looked at. */
  readonly observations: number;
}

/** A candidate has lost its traffic. */
export interface Rollback extends RollbackEvidence {
  /** Unix time in milliseconds. */
  readonly at: number;
}

/** By model. */
export type Routings = ReadonlyMap<string, Routing>;

/** What holds where nothing is set. */
export const noRouting: Routing = { traffic: undefined, aliases: new Map() };

/** What a version is called: a folder's name, and in requests. */
export const versionPattern = /^[1-9][0-9]{0,8}$/;

/** What an alias must match. It starts with a letter, so that no version is called like one. */
export const aliasPattern = /^[a-z][a-z0-9._-]{0,63}$/;

/** Aliases of one model. */
export const maxAliases = 32;

/** Bounds of a rollback rule. A limit of 100 percent could not be passed. */
export const rollbackBounds = {
  percentBelow: 100,
  observations: { min: 10, max: 1_000_000 },
  windowSeconds: { min: 10, max: 86_400 },
} as const;

/** The versions that it names: each of them once. */
export function namedVersions({ traffic, aliases, shadow, rollback }: Routing): ReadonlySet<string> {
  const watched = [shadow?.version, rollback?.version, rollback?.stable];
  return new Set([
    ...(traffic ?? []),
    ...aliases.values(),
    ...watched.filter((version) => version !== undefined),
  ]);
}

/** Whether nothing is set. */
export function isNoRouting({ traffic, aliases, shadow, rollback }: Routing): boolean {
  return traffic === undefined && aliases.size === 0 && shadow === undefined && rollback === undefined;
}
