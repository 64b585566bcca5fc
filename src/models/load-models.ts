import { setMaxListeners } from 'node:events';
import { SessionLostError, SessionOpenError, SessionRunError } from '../runtime/errors.js';
import type { ModelLocation } from './repository.js';

/** Tries of a version whose process was lost meanwhile: that says little about the model. */
const TRIES = 2;

export interface LoadModelsParts {
  /** Loads one version and puts it into service; gives up when its signal aborts. */
  readonly load: (location: ModelLocation, signal: AbortSignal) => Promise<void>;
  /** Whether nothing is served unless one version of the model is loaded. */
  readonly isRequired: (model: string) => boolean;
  /** A version could not be loaded, and it is no model's last hope that is required. Must not throw. */
  readonly onFailed: (location: ModelLocation, error: unknown) => void;
}

/**
 * Loads versions side by side. One that fails leaves the others alone, unless a required model is left without a version: that ends
 * the loading, and so does the signal.
 *
 * @throws Error that names the required model and says what was wrong; the signal's reason. Nothing is being loaded any more then, but those that were
 *   loaded before are still there
 */
export async function loadModels(
  locations: readonly ModelLocation[],
  { load, isRequired, onFailed }: LoadModelsParts,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  // Every model listens, and several of its parts.
  setMaxListeners(0, either);
  // Of each model, the versions that are loaded or may still be.
  const left = new Map<string, number>();
  for (const { name } of locations) left.set(name, (left.get(name) ?? 0) + 1);
  await Promise.allSettled(
    locations.map(async (location) => {
      try {
        await loadWithRetry(location, load, either);
      } catch (error) {
        const { name } = location;
        const others = (left.get(name) ?? 0) - 1;
        left.set(name, others);
        if (isRequired(name) && others === 0) failed.abort(named(location, error));
        else if (!either.aborted) onFailed(location, error);
      }
    }),
  );
  either.throwIfAborted();
}

/**
 * Loads a version, and once more if its process was lost meanwhile.
 * @throws what the last try threw
 */
export async function loadWithRetry<T>(
  location: ModelLocation,
  load: (location: ModelLocation, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await load(location, signal);
    } catch (error) {
      if (signal.aborted || tries === TRIES || !isLoss(error)) throw error;
    }
  }
}

/** With the model's name in front, for whoever sees nothing but the message. */
function named({ name, version }: ModelLocation, error: unknown): Error {
  return new Error(`model ${name}, version ${version}: ${describeLoadError(error)}`, { cause: error });
}

/** An error of the loading in words, those of ONNX Runtime included. */
export function describeLoadError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const detail =
    error instanceof SessionRunError && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${error.message}${detail}`;
}

function isLoss(error: unknown): boolean {
  return (
    error instanceof SessionLostError || (error instanceof SessionOpenError && error.failure === 'process')
  );
}
