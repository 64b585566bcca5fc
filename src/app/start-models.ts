import type { Config } from '../config.js';
import { loadModels } from '../models/load-models.js';
import { type ModelLocation, type ModelRepository, requireModel } from '../models/repository.js';
import type { Logger } from '../telemetry/logger.js';

/** What the models are loaded with, and into. */
export interface ModelStart {
  readonly config: Pick<Config, 'models'>;
  readonly log: Logger;
  /** What the models folder holds. @throws ModelLoadError */
  readonly find: () => Promise<ModelRepository>;
  /** Those of the models that are loaded at the start; the others are loaded when they are asked for. */
  readonly firstOf: (models: readonly string[]) => ReadonlySet<string>;
  /** A version is not loaded at the start. */
  readonly onUnloaded: (location: ModelLocation) => void;
  /** A version is about to be loaded. */
  readonly onLoading: (location: ModelLocation) => void;
  /** Loads a version and puts it into service. */
  readonly load: (location: ModelLocation, signal: AbortSignal) => Promise<void>;
  /** A version, or a model without one, could not be loaded. */
  readonly onFailed: (failed: Pick<ModelLocation, 'name' | 'version'>, error: unknown) => void;
}

/**
 * Loads the first models of the folder, in the versions that are wanted, and tells the log what in it is none. A model that cannot be loaded is told (ADR 0011), unless it
 * is the default one.
 * @throws the repository's errors; the loader's for the default model, which they name; the signal's reason
 */
export async function startModels(parts: ModelStart, signal: AbortSignal): Promise<void> {
  const { dir, default: defaultName } = parts.config.models;
  const repository = await parts.find();
  requireModel(repository, defaultName, dir);
  tellRepository(repository, parts);
  const first = parts.firstOf(repository.locations.map(({ name }) => name));
  const locations = repository.locations.filter(({ name }) => first.has(name));
  for (const location of repository.locations)
    if (first.has(location.name)) parts.onLoading(location);
    else parts.onUnloaded(location);
  await loadModels(
    locations,
    { load: parts.load, isRequired: (name) => name === defaultName, onFailed: parts.onFailed },
    signal,
  );
}

/** Says which folders are not served, and why. */
function tellRepository({ broken, ignored }: ModelRepository, { log, onFailed }: ModelStart): void {
  for (const { path, reason } of ignored) log.warn({ path, reason }, 'a folder among the models is ignored');
  for (const { name, error } of broken) onFailed({ name, version: '' }, error);
}
