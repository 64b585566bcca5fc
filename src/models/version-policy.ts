/** Which versions of a model are served: the highest, all that are there, or these. */
export type VersionPolicy = 'latest' | 'all' | readonly string[];

/**
 * The versions to load, highest first. What requests are routed to is among them while it is there: a new version must not move
 * callers that somebody has placed.
 * @param found those in the folder, highest first; at least one
 * @param named those that the model's routing names
 * @returns of a list, those that are not there too
 */
export function wantedVersions(
  policy: VersionPolicy,
  found: readonly string[],
  named: ReadonlySet<string>,
): readonly string[] {
  const chosen = policy === 'latest' ? found.slice(0, 1) : policy === 'all' ? found : policy;
  const wanted = new Set([...chosen, ...found.filter((version) => named.has(version))]);
  return [...wanted].sort((a, b) => Number(b) - Number(a));
}
