import type { DeployableVersion } from './deployment.js';
import { loadWithRetry } from './load-models.js';
import { ModelLoadError } from './model-load-error.js';
import type { ModelRegistry } from './model-registry.js';
import type { ModelLocation, ModelRepository } from './repository.js';

export interface LoadWantedParts<V extends DeployableVersion> {
  readonly registry: ModelRegistry<V>;
  /** What the models folder holds. @throws ModelLoadError */
  readonly find: () => Promise<ModelRepository>;
  /** Loads a version beside those that serve. @throws any error that says why it cannot serve */
  readonly load: (location: ModelLocation, signal: AbortSignal) => Promise<V>;
  /** A version is about to get requests. */
  readonly onServing: (version: V) => void;
  /** A version, or a model without one, could not be loaded. */
  readonly onFailed: (failed: Pick<ModelLocation, 'name' | 'version'>, error: unknown) => void;
}

/**
 * Loads all versions of a model that are wanted, as the folder holds them now, one after the other, and puts those into service that
 * can serve.
 * @throws why the highest version cannot serve, if none can; the signal's reason, once nothing of the model is loaded any more
 */
export async function loadWanted<V extends DeployableVersion>(
  { registry, find, load, onServing, onFailed }: LoadWantedParts<V>,
  model: string,
  signal: AbortSignal,
): Promise<void> {
  const { locations, broken } = await find();
  const wanted = locations.filter(({ name }) => name === model);
  if (wanted.length === 0) {
    const found = broken.find(({ name }) => name === model);
    const error = found?.error ?? new ModelLoadError(model, 'is not in the models folder any more');
    onFailed({ name: model, version: '' }, error);
    throw error;
  }
  for (const { version } of wanted) registry.addUnloaded(model, version);
  registry.forgetUnloaded(model, new Set(wanted.map(({ version }) => version)));
  const loaded: V[] = [];
  const failures: unknown[] = [];
  for (const location of wanted) {
    registry.addLoading(model, location.version);
    try {
      loaded.push(await loadWithRetry(location, load, signal));
    } catch (error) {
      if (signal.aborted) break;
      failures.push(error);
      onFailed(location, error);
    }
  }
  if (signal.aborted) {
    await Promise.all(loaded.map((version) => version.close(signal)));
    for (const { version } of wanted) registry.addUnloaded(model, version);
    signal.throwIfAborted();
  }
  if (loaded.length === 0) throw failures[0];
  // In one turn: with only some of its versions a model would send its requests elsewhere.
  for (const version of loaded) {
    onServing(version);
    registry.deploy(version);
  }
}
