import type { ModelCatalog, Moderation } from '../models/types.js';

/** Which models moderate, and how. */
export interface Moderators {
  /** Of one version; undefined: it is none. */
  of(model: string, version: string): Moderation | undefined;
  /** The model of requests that name none: the default one, else the only one that moderates. */
  usual(): string | undefined;
}

export function moderatorsIn(catalog: Pick<ModelCatalog, 'list'>): Moderators {
  return {
    of: (model, version) =>
      catalog
        .list()
        .find(({ name }) => name === model)
        ?.versions.find((one) => one.version === version)?.moderation,
    usual: () => {
      const moderating = catalog
        .list()
        .filter(({ versions }) => versions.some(({ moderation }) => moderation !== undefined));
      const [only, ...others] = moderating;
      const usual = moderating.find(({ isDefault }) => isDefault);
      return usual?.name ?? (others.length === 0 ? only?.name : undefined);
    },
  };
}
