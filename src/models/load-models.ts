import type { ModelLocation } from './repository.js';

/**
 * Loads versions side by side. The first that fails ends the loading of the others, and so does the signal.
 *
 * @param load loads one version and puts it into service; gives up when its signal aborts
 * @throws what the first one that failed threw; the signal's reason. Nothing is being loaded any more then, but those
 *   that were loaded before are still there
 */
export async function loadModels(
  locations: readonly ModelLocation[],
  load: (location: ModelLocation, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  await Promise.allSettled(
    locations.map((location) => load(location, either).catch((error: unknown) => failed.abort(error))),
  );
  either.throwIfAborted();
}
