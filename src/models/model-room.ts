import type { Clock } from '../batching/clock.js';
import { chooseUnloaded, type Resident } from './choose-unloaded.js';
import type { DeployableVersion } from './deployment.js';
import type { LoadForecast } from './load-forecast.js';
import { pinnedLeaveNoRoom } from './load-refusals.js';
import type { LoadedModel, ModelRegistry } from './model-registry.js';
import type { OnDemandHooks, UnloadCause } from './types.js';

/** What is needed of a version to make room. */
export interface OnDemandVersion extends DeployableVersion {
  /** Whether it holds inputs that are not answered yet. */
  readonly isBusy: boolean;
  /** Resident memory of its session processes, as last measured; 0 where nothing is known. */
  readonly memoryBytes: number;
  measureMemory(): Promise<void>;
}

/** How much may be loaded at a time. */
export interface LoadedBounds {
  /** Models; 0: all. */
  readonly models: number;
  /** Resident memory of all session processes; 0: any. */
  readonly memoryBytes: number;
}

export interface ModelRoomParts<V extends OnDemandVersion> {
  readonly registry: ModelRegistry<V>;
  /** Models that are never unloaded to make room. */
  readonly pinned: ReadonlySet<string>;
  readonly bounds: LoadedBounds;
  /** How long a model that is unloaded may answer what it holds, in milliseconds. */
  readonly endLimitMs: number;
  readonly forecast: LoadForecast;
  readonly hooks: Pick<OnDemandHooks, 'onUnloaded' | 'onEndFailed'>;
  readonly clock: Clock;
}

/** The room for loaded models: so many places, and so much memory. What it changes must not change in any other way meanwhile. */
export class ModelRoom<V extends OnDemandVersion> {
  readonly #parts: ModelRoomParts<V>;
  /** When models were loaded for those who asked; others may go at once. */
  readonly #loadedAt = new Map<string, number>();

  constructor(parts: ModelRoomParts<V>) {
    this.#parts = parts;
  }

  /** Places for models that are not pinned. Those of pinned ones are kept for them, even while they are not there. */
  get places(): number {
    const { bounds, pinned } = this.#parts;
    return bounds.models === 0 ? Number.POSITIVE_INFINITY : Math.max(0, bounds.models - pinned.size);
  }

  /** Whether a model that is not pinned has a place without unloading another. */
  get hasPlace(): boolean {
    return this.#unpinned().length < this.places;
  }

  /** The models that are loaded at the start: those that are pinned, and the first others by name, as many as have a place. */
  firstOf(models: Iterable<string>): ReadonlySet<string> {
    const { pinned, bounds } = this.#parts;
    const names = [...new Set(models)].sort();
    // How much memory they take is known once they are loaded.
    const places = bounds.memoryBytes > 0 ? 0 : this.places;
    const others = names.filter((name) => !pinned.has(name)).slice(0, places);
    return new Set([...names.filter((name) => pinned.has(name)), ...others]);
  }

  /** A model was loaded for those who asked. */
  onLoaded(model: string): void {
    this.#loadedAt.set(model, this.#parts.clock.now());
    this.#parts.registry.requested.touch(model);
  }

  /** How many milliseconds from now on there may be a place; 0: now. */
  placeInMs(): number {
    if (this.hasPlace) return 0;
    const chosen = chooseUnloaded(this.#residents(), this.#parts.clock.now());
    return 'model' in chosen || !Number.isFinite(chosen.inMs) ? 0 : chosen.inMs;
  }

  /**
   * Unloads models until another one fits.
   * @returns 0: it does; else after how many milliseconds the next model may be unloaded
   * @throws VerdictError resource_exhausted where nothing is left to unload
   */
  async make(model: string): Promise<number> {
    const { pinned, bounds, forecast } = this.#parts;
    if (!this.#mayEverFit(model)) throw pinnedLeaveNoRoom(model);
    for (;;) {
      const needsPlace = !pinned.has(model) && !this.hasPlace;
      const needsMemory =
        bounds.memoryBytes > 0 && this.#bytes() + forecast.memoryBytes(model) > bounds.memoryBytes;
      if (!needsPlace && !needsMemory) return 0;
      const residents = this.#residents();
      // What it takes is a guess then: only its load tells.
      if (residents.length === 0) return 0;
      const chosen = chooseUnloaded(residents, this.#parts.clock.now());
      if ('inMs' in chosen) return chosen.inMs;
      await this.unload(chosen.model, needsPlace ? 'place' : 'memory');
    }
  }

  /**
   * Unloads models, the least recently used first, until the sessions take no more memory than they may.
   * @param loaded a model that has just been loaded, for which the others make room
   * @throws VerdictError resource_exhausted where that one alone takes too much; it is unloaded then
   */
  async giveMemoryBack(loaded?: string): Promise<void> {
    const { bounds } = this.#parts;
    while (bounds.memoryBytes > 0 && this.#bytes() > bounds.memoryBytes) {
      const others = this.#residents().filter(({ name }) => name !== loaded);
      const [first] = others.sort((a, b) => Number(a.isBusy) - Number(b.isBusy) || a.lastUse - b.lastUse);
      if (first !== undefined) {
        await this.unload(first.name, 'memory');
        continue;
      }
      if (loaded === undefined || this.#parts.pinned.has(loaded)) return;
      await this.unload(loaded, 'memory');
      throw pinnedLeaveNoRoom(loaded);
    }
  }

  /** Unloads a model: it answers what it holds, and its sessions end. */
  async unload(model: string, cause: UnloadCause): Promise<void> {
    const { registry, endLimitMs, hooks } = this.#parts;
    const { clock } = this.#parts;
    const startedAt = clock.now();
    this.#loadedAt.delete(model);
    const ended = await registry.unload(model, AbortSignal.timeout(endLimitMs));
    for (const { version, error } of ended)
      if (error !== undefined) hooks.onEndFailed?.({ name: model, version }, error);
    hooks.onUnloaded?.(model, cause, clock.now() - startedAt);
  }

  /** Resident memory of the sessions of a model, as last measured. */
  bytesOf(model: string): number {
    return bytesOf(this.#parts.registry.loadedModels().filter(({ name }) => name === model));
  }

  /** Asks the system how much memory the sessions take. */
  async measure(): Promise<void> {
    const versions = this.#parts.registry.loadedModels().flatMap((model) => model.versions);
    await Promise.all(versions.map((version) => version.measureMemory()));
  }

  #bytes(): number {
    return bytesOf(this.#parts.registry.loadedModels());
  }

  /** Whether there is room for a model once all are unloaded that may be. */
  #mayEverFit(model: string): boolean {
    const { registry, pinned, bounds, forecast } = this.#parts;
    if (!pinned.has(model) && this.places === 0) return false;
    if (bounds.memoryBytes === 0 || !forecast.isMeasured(model)) return true;
    const stays = bytesOf(registry.loadedModels().filter(({ name }) => pinned.has(name)));
    return stays + forecast.memoryBytes(model) <= bounds.memoryBytes;
  }

  #unpinned(): readonly LoadedModel<V>[] {
    const { registry, pinned } = this.#parts;
    return registry.loadedModels().filter(({ name }) => !pinned.has(name));
  }

  #residents(): Resident[] {
    return this.#unpinned().map(({ name, versions, lastUse }) => ({
      name,
      lastUse,
      isBusy: versions.some(({ isBusy }) => isBusy),
      loadedAt: this.#loadedAt.get(name) ?? Number.NEGATIVE_INFINITY,
      loadMs: this.#parts.forecast.loadMs(name),
    }));
  }
}

function bytesOf(models: readonly LoadedModel<OnDemandVersion>[]): number {
  const versions = models.flatMap((model) => model.versions);
  return versions.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
}
