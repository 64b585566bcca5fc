import type { Traffic } from './traffic.js';

/** What is set about where requests for a model go. What it says of versions that are not loaded has no effect until they are. */
export interface Routing {
  /** Undefined: all requests that name no version go to the highest one. */
  readonly traffic: Traffic | undefined;
  /** Versions by alias. */
  readonly aliases: ReadonlyMap<string, string>;
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

/** The versions that it names: each of them once. */
export function namedVersions({ traffic, aliases }: Routing): ReadonlySet<string> {
  return new Set([...(traffic ?? []), ...aliases.values()]);
}
