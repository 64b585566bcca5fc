import { setMaxListeners } from 'node:events';
import { type Clock, systemClock } from '../batching/clock.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import { untilAborted } from '../concurrency/until-aborted.js';
import { invalidField, shuttingDown, VerdictError } from '../errors.js';
import { type BackoffOptions, backoffMs } from '../runtime/backoff.js';
import type { TextInput } from '../tokenizer/types.js';
import { AbsentVersion, type ComputingVersion } from './absent-version.js';
import type { FormerVersion } from './former-version.js';
import { LoadForecast } from './load-forecast.js';
import {
  loadFailed,
  loadTooLong,
  modelGone,
  pinnedLeaveNoRoom,
  placesInUse,
  tooManyWaiting,
} from './load-refusals.js';
import type { LoadClaim, WaiterBounds } from './load-waiters.js';
import { ModelDemand } from './model-demand.js';
import type { ModelRequest } from './model-registry.js';
import { ModelRoom, type ModelRoomParts, type OnDemandVersion } from './model-room.js';
import type { ModelLoads, ModelView, OnDemandHooks, RefusedLoad } from './types.js';

/** How often the models are looked at while one of them is to make room. */
const LOOK_MS = 50;
/** A model that could not be loaded is not tried again at once: its next load is likely to fail as well. */
const RETRY: BackoffOptions = { initialMs: 10_000, maxMs: 300_000, stableMs: 0 };

/** What is needed of a version to find it again. */
export interface RequestedVersion extends OnDemandVersion, ComputingVersion {
  readonly digest: string;
}

export interface ModelsOnDemandParts<V extends RequestedVersion>
  extends Omit<ModelRoomParts<V>, 'forecast' | 'hooks' | 'clock'> {
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
  readonly hooks: OnDemandHooks;
  /** Default: the process's own. */
  readonly clock?: Clock;
}

interface Failure {
  readonly reason: string;
  readonly tries: number;
  /** When it may be tried again, in milliseconds. */
  readonly retryAt: number;
}

/**
 * Loads models when they are asked for, and unloads the least recently used ones to make room. A model is loaded with all its versions,
 * since they share its requests. Loads run one after the other, in the order in which the models were asked for.
 */
export class ModelsOnDemand<V extends RequestedVersion> implements ModelLoads {
  readonly #parts: ModelsOnDemandParts<V>;
  readonly #clock: Clock;
  readonly #forecast = new LoadForecast();
  readonly #room: ModelRoom<V>;
  /** By model, in the order in which they came. */
  readonly #demands = new Map<string, ModelDemand>();
  readonly #failures = new Map<string, Failure>();
  readonly #stopping = new AbortController();
  #serving: Promise<void> = Promise.resolve();

  constructor(parts: ModelsOnDemandParts<V>) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#room = new ModelRoom({ ...parts, clock: this.#clock, forecast: this.#forecast });
    setMaxListeners(0, this.#stopping.signal);
  }

  /** Requests that wait for a model to be loaded. */
  get waiting(): number {
    return [...this.#demands.values()].reduce((sum, { waiters }) => sum + waiters.size, 0);
  }

  /**
   * The version that a request means: at once if its model is loaded, or was. One that was answers from the cache without a load.
   * @throws VerdictError not_found, unavailable, resource_exhausted, deadline_exceeded; the signal's reason
   */
  resolve(request: ModelRequest, claim: LoadClaim): MaybePromise<V | AbsentVersion> {
    const { registry } = this.#parts;
    const found = registry.lookUp(request);
    if (found !== undefined) return found;
    const former = registry.formerOf(request);
    if (former === undefined) return this.#onceLoaded(request, claim);
    return new AbsentVersion(former, (waiting, input) => this.#asItWas(former, waiting, input));
  }

  async load(model: string, signal: AbortSignal): Promise<ModelView> {
    const { registry } = this.#parts;
    registry.get(model);
    const claim = { signal, deadlineAt: Number.POSITIVE_INFINITY, serviceClass: 'interactive' } as const;
    while (!registry.isLoaded(model)) {
      const demand = this.#demand(model);
      if (!demand.waiters.hasRoom(claim.serviceClass, 0))
        throw tooManyWaiting(model, this.#expectedMs(demand));
      await demand.waiters.wait(claim, 0);
    }
    registry.touch(model);
    return registry.get(model);
  }

  async unload(model: string, signal: AbortSignal): Promise<ModelView> {
    const { registry, pinned, oneAtATime, onChanged } = this.#parts;
    registry.get(model);
    this.#stopping.signal.throwIfAborted();
    if (pinned.has(model)) throw invalidField('model', 'must not be a pinned one: those stay loaded');
    const unloaded = oneAtATime(async () => {
      if (registry.isLoaded(model)) await this.#room.unload(model, 'request');
      onChanged();
    });
    await untilAborted(unloaded, signal);
    signal.throwIfAborted();
    await unloaded;
    return registry.get(model);
  }

  /**
   * Whether a reload may load a model. What is unloaded stays so until somebody asks for it, and nothing takes the place of what
   * is waited for.
   */
  mayReload(model: string): boolean {
    const { registry, pinned, bounds } = this.#parts;
    if (registry.isLoaded(model) || pinned.has(model)) return true;
    if (registry.isUnloaded(model) && !registry.hasFailed(model)) return false;
    return bounds.memoryBytes === 0 && this.#room.hasPlace && this.#demands.size === 0;
  }

  /** The models that are loaded at the start. */
  firstOf(models: Iterable<string>): ReadonlySet<string> {
    return this.#room.firstOf(models);
  }

  /** A model was loaded otherwise: at the start, or by a reload. */
  onLoaded(model: string): void {
    this.#failures.delete(model);
    this.#parts.registry.touch(model);
  }

  /** A model could not be loaded at the start, or by a reload. @param reason for everybody to read */
  onFailed(model: string, reason: string): void {
    const tries = (this.#failures.get(model)?.tries ?? 0) + 1;
    const retryAt = this.#clock.now() + backoffMs(RETRY, tries, Math.random);
    this.#failures.set(model, { reason, tries, retryAt });
  }

  /** Measures how much memory the sessions take, and unloads models until it is no more than it may be. */
  async keepWithinMemory(): Promise<void> {
    this.#forgetGone();
    await this.#parts.oneAtATime(async () => {
      await this.#room.measure();
      await this.#room.giveMemoryBack();
    });
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

  async #onceLoaded(request: ModelRequest, claim: LoadClaim): Promise<V> {
    const { registry } = this.#parts;
    const model = registry.nameOf(request);
    for (;;) {
      await this.#wait(model, claim, request.input);
      const found = registry.lookUp(request);
      if (found !== undefined) return found;
    }
  }

  /** @throws VerdictError DRAINING if what was loaded is another version, or the same number with other content */
  async #asItWas(
    { name, version, digest }: FormerVersion<TextInput>,
    claim: LoadClaim,
    input: TextInput,
  ): Promise<V> {
    const { registry } = this.#parts;
    if (!registry.isLoaded(name)) await this.#wait(name, claim, input);
    const loaded = registry.find(name, version);
    if (loaded?.digest === digest) return loaded;
    throw new VerdictError('unavailable', `the version ${name}/${version} has changed`, {
      reason: 'DRAINING',
    });
  }

  /** Waits until a model is loaded, if that can be before the deadline. Who is refused finds it loaded after the delay that is told. */
  async #wait(model: string, claim: LoadClaim, { text, textPair = '' }: TextInput): Promise<void> {
    const startedAt = this.#clock.now();
    try {
      // UTF-16.
      await this.#admit(model, claim, 2 * (text.length + textPair.length));
    } finally {
      claim.trace?.stage('load', startedAt, this.#clock.now());
    }
  }

  #admit(model: string, claim: LoadClaim, bytes: number): Promise<void> {
    const demand = this.#demand(model);
    const inMs = this.#expectedMs(demand);
    const at = this.#clock.now() + inMs;
    if (at <= claim.deadlineAt && demand.waiters.hasRoom(claim.serviceClass, bytes))
      return demand.waiters.wait(claim, bytes);
    demand.expectBack(at);
    if (at <= claim.deadlineAt) throw this.#refused('waiting', tooManyWaiting(model, inMs));
    if (demand.loadingSince !== undefined || this.#room.hasPlace)
      throw this.#refused('deadline', loadTooLong(model, inMs));
    throw this.#refused('deadline', placesInUse(model, this.#parts.bounds.models, inMs));
  }

  /** @throws VerdictError where the model cannot be loaded now, whoever waits */
  #demand(model: string): ModelDemand {
    this.#stopping.signal.throwIfAborted();
    const known = this.#demands.get(model);
    if (known !== undefined) return known;
    const { registry, pinned, waiterBounds } = this.#parts;
    const failure = registry.hasFailed(model) ? this.#failures.get(model) : undefined;
    const waitMs = (failure?.retryAt ?? 0) - this.#clock.now();
    if (failure !== undefined && waitMs > 0) throw loadFailed(model, failure.reason, waitMs);
    if (!pinned.has(model) && this.#room.places === 0)
      throw this.#refused('pinned', pinnedLeaveNoRoom(model));
    const demand = new ModelDemand(model, waiterBounds, this.#clock);
    this.#demands.set(model, demand);
    if (this.#demands.size === 1) this.#serving = this.#serve();
    return demand;
  }

  #refused(cause: RefusedLoad, error: VerdictError): VerdictError {
    this.#parts.hooks.onRefused?.(cause);
    return error;
  }

  /** How long from now on until the model is loaded: after those that were asked for before, and once there is a place. */
  #expectedMs(demand: ModelDemand): number {
    const now = this.#clock.now();
    let sum = 0;
    for (const ahead of this.#demands.values()) {
      const loadMs = this.#forecast.loadMs(ahead.model);
      const tookMs = now - (ahead.loadingSince ?? now);
      // One that takes longer than it should takes as long again.
      sum += tookMs < loadMs ? loadMs - tookMs : loadMs;
      if (ahead.loadingSince === undefined && sum === loadMs) sum += this.#room.placeInMs();
      if (ahead === demand) break;
    }
    return sum;
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
      this.#failures.delete(model);
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
      this.onFailed(model, reason);
      hooks.onLoadFailed?.(model, reason, tookMs());
      const { retryAt = 0 } = this.#failures.get(model) ?? {};
      throw loadFailed(model, reason, Math.max(1, retryAt - this.#clock.now()));
    } finally {
      onChanged();
    }
  }

  /** What was learnt of models that are no longer there is of no use. */
  #forgetGone(): void {
    const names = new Set(this.#parts.registry.names);
    for (const known of [...this.#failures.keys(), ...this.#forecast.models])
      if (!names.has(known)) {
        this.#failures.delete(known);
        this.#forecast.forget(known);
      }
  }
}
