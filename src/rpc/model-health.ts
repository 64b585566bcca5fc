import type { ModelCatalog, ModelView } from '../models/types.js';

/** Whether a version of the model answers requests. */
export function serves(model: ModelView): boolean {
  return model.servingVersion !== '';
}

/** Whether all models serve that are loaded, and there are any. */
export function allServe(catalog: ModelCatalog): boolean {
  const models = catalog.list().filter(({ loaded }) => loaded);
  return models.length > 0 && models.every(serves);
}
