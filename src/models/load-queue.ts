import { setMaxListeners } from 'node:events';
import type { Clock } from '../batching/clock.js';
import { untilAborted } from '../concurrency/until-aborted.js';
import { shuttingDown, VerdictError } from '../errors.js';
import { LoadFailures } from './load-failures.js';
import type { LoadForecast } from './load-forecast.js';
import { loadFailed, modelGone } from './load-refusals.js';
import type { WaiterBounds } from './load-waiters.js';
import { ModelDemand } from './model-demand.js';
import type { ModelRegistry } from './model-registry.js';
import type { ModelRoom, OnDemandVersion } from './model-room.js';
import type { OnDemandHooks } from './types.js';

/** How often the models are looked at while one of them is to make room. */
const LOOK_MS = 50;

export interface LoadQueueParts<V extends OnDemandVersion> {
  readonly registry: ModelRegistry<V>;
  /** How many may wait for one model. */
  readonly waiterBounds: WaiterBounds;
  /** Loads all versions of a model that are wanted, and deploys them. @throws what says why none of them can serve */
  readonly load: (model: string, signal: AbortSignal) => Promise<void>;
  /** Runs one task at a time: nothing else loads or unloads a model meanwhile. */
  readonly oneAtATime: <T>(task: () => Promise<T>) => Promise<T>;
  /** The error of a load in words, for everybody to read. */
  readonly describe: (error: unknown) => string;
  /** Other sessions than before are open. */
  readonly onChanged: () => void;
  readonly hooks: Pick<OnDemandHooks, 'onLoaded' | 'onLoadFailed'>;
}

/** The models that are asked for and not loaded. They are loaded one after the other, in the order in which they were asked for. */
export class LoadQueue<V extends OnDemandVersion> {
  readonly #parts: LoadQueueParts<V>;
  readonly #room: ModelRoom<V>;
  readonly #forecast: LoadForecast;
  readonly #clock: Clock;
  readonly #failures: LoadFailures;
  /** By model, in the order in which they came. */
  readonly #demands = new Map<string, ModelDemand>();
  readonly #stopping = new AbortController();
  #serving: Promise<void> = Promise.resolve();

  constructor(parts: LoadQueueParts<V>, room: ModelRoom<V>, forecast: LoadForecast, clock: Clock) {
    this.#parts = parts;
    this.#room = room;
    this.#forecast = forecast;
    this.#clock = clock;
    this.#failures = new LoadFailures(clock);
    setMaxListeners(0, this.#stopping.signal);
  }

  /** Whether no model is waited for. */
  get isEmpty(): boolean {
    return this.#demands.size === 0;
  }

  /** Requests that wait. */
  get waiting(): number {
    return [...this.#demands.values()].reduce((sum, { waiters }) => sum + waiters.size, 0);
  }

  /** @throws VerdictError once the server stops */
  refuseStopping(): void {
    this.#stopping.signal.throwIfAborted();
  }

  /** Has a model loaded. @throws VerdictError unavailable where it may not be tried yet, or the server stops */
  demand(model: string): ModelDemand {
    this.refuseStopping();
    const known = this.#demands.get(model);
    if (known !== undefined) return known;
    const { registry, waiterBounds } = this.#parts;
    // A reload may have made up its mind since.
    const wait = registry.hasFailed(model) ? this.#failures.waitOf(model) : undefined;
    if (wait !== undefined) throw loadFailed(model, wait.reason, wait.ms);
    const demand = new ModelDemand(model, waiterBounds, this.#clock);
    this.#demands.set(model, demand);
    if (this.#demands.size === 1) this.#serving = this.#serve();
    return demand;
  }

  /** How long from now on until the model is loaded: after those that were asked for before, and once there is a place. */
  expectedMs(demand: ModelDemand): number {
    const now = this.#clock.now();
    let sum = 0;
    for (const ahead of this.#demands.values()) {
      const { loadingSince, model } = ahead;
      const loadMs = this.#forecast.loadMs(model);
      // Only the first one may be loading, or waiting for a place.
      if (sum === 0 && loadingSince === undefined) sum += this.#room.placeInMs();
      const leftMs = loadMs - (now - (loadingSince ?? now));
      // One that takes longer than it should takes as long again.
      sum += leftMs > 0 ? leftMs : loadMs;
      if (ahead === demand) break;
    }
    return sum;
  }

  /** A model was loaded otherwise. */
  onLoaded(model: string): void {
    this.#failures.forget(model);
  }

  /** A model could not be loaded otherwise. @param reason for everybody to read */
  onFailed(model: string, reason: string): void {
    this.#failures.add(model, reason);
  }

  /** Forgets what was learnt of models that are no longer there. */
  forgetGone(): void {
    const names = new Set(this.#parts.registry.names);
    for (const known of [...this.#failures.models, ...this.#forecast.models])
      if (!names.has(known)) {
        this.#failures.forget(known);
        this.#forecast.forget(known);
      }
  }

  /** Gives up the load under way, and refuses all who wait. From now on no model is loaded. */
  stop(): void {
    this.#stopping.abort(shuttingDown());
    for (const { waiters } of this.#demands.values()) waiters.reject(shuttingDown());
  }

  /** Resolves when nothing is being loaded any more, or the signal aborts. Call `stop` before. */
  ended(signal: AbortSignal): Promise<void> {
    return untilAborted(this.#serving, signal);
  }

  /** Serves the demands, one after the other, until there is none. */
  async #serve(): Promise<void> {
    // Whoever has asked first is to wait before anything is decided.
    await null;
    for (let [demand] = this.#demands.values(); demand !== undefined; [demand] = this.#demands.values()) {
      try {
        await this.#satisfy(demand);
        this.#demands.delete(demand.model);
        demand.waiters.resolve();
      } catch (error) {
        this.#demands.delete(demand.model);
        demand.waiters.reject(error);
      }
    }
  }

  /** Loads a model once there is room, unless nobody wants it any more. @throws what those who wait are told */
  async #satisfy(demand: ModelDemand): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      signal.throwIfAborted();
      if (!demand.isWanted(this.#clock.now())) return;
      const inMs = await this.#parts.oneAtATime(() => this.#attempt(demand));
      if (inMs === 0) return;
      await this.#pause(Math.min(inMs, LOOK_MS));
    }
  }

  /** Ends early where the server stops. */
  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.#clock.startTimer(end, ms);
      signal.addEventListener('abort', end, { once: true });
    });
  }

  /** @returns 0: the model is loaded; else after how many milliseconds to try again */
  async #attempt(demand: ModelDemand): Promise<number> {
    const { model } = demand;
    const { registry } = this.#parts;
    if (registry.isLoaded(model)) return 0;
    if (!registry.isUnloaded(model)) throw modelGone(model);
    const inMs = await this.#room.make(model);
    if (inMs > 0) return inMs;
    await this.#load(demand);
    return 0;
  }

  async #load(demand: ModelDemand): Promise<void> {
    const { load, hooks, describe, onChanged } = this.#parts;
    const { signal } = this.#stopping;
    const { model } = demand;
    signal.throwIfAborted();
    const startedAt = this.#clock.now();
    demand.loadingSince = startedAt;
    const tookMs = () => this.#clock.now() - startedAt;
    try {
      await load(model, signal);
      const loadMs = tookMs();
      this.#failures.forget(model);
      this.#room.onLoaded(model);
      await this.#room.measure();
      this.#forecast.record(model, loadMs, this.#room.bytesOf(model));
      await this.#room.giveMemoryBack(model);
      hooks.onLoaded?.(model, loadMs);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof VerdictError) {
        hooks.onLoadFailed?.(model, error.message, tookMs());
        throw error;
      }
      const reason = describe(error);
      this.#failures.add(model, reason);
      hooks.onLoadFailed?.(model, reason, tookMs());
      throw loadFailed(model, reason, this.#failures.waitOf(model)?.ms ?? 1);
    } finally {
      onChanged();
    }
  }
}
