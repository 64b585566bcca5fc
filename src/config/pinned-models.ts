/** The models that stay loaded: the default one, and those of a list that `modelNames` allows. */
export function pinnedModels(models: {
  readonly default: string;
  readonly pinned?: string | undefined;
}): ReadonlySet<string> {
  const listed = models.pinned?.split(',').map((name) => name.trim()) ?? [];
  return new Set([models.default, ...listed]);
}
