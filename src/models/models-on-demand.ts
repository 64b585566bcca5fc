import { type Clock, systemClock } from '../batching/clock.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import { untilAborted } from '../concurrency/until-aborted.js';
import { invalidField, VerdictError } from '../errors.js';
import type { TextInput } from '../tokenizer/types.js';
import { AbsentVersion, type ComputingVersion } from './absent-version.js';
import type { FormerVersion } from './former-version.js';
import { LoadForecast } from './load-forecast.js';
import { LoadQueue, type LoadQueueParts } from './load-queue.js';
import { loadTooLong, pinnedLeaveNoRoom, placesInUse, tooManyWaiting } from './load-refusals.js';
import type { LoadClaim } from './load-waiters.js';
import type { ModelDemand } from './model-demand.js';
import { ModelRoom, type ModelRoomParts, type OnDemandVersion } from './model-room.js';
import type { ModelRequest } from './requested-versions.js';
import type { ModelLoads, ModelView, OnDemandHooks, RefusedLoad } from './types.js';

/** What is needed of a version to find it again. */
export interface RequestedVersion extends OnDemandVersion, ComputingVersion {
  readonly digest: string;
}

export interface ModelsOnDemandParts<V extends RequestedVersion>
  extends Omit<ModelRoomParts<V>, 'forecast' | 'hooks' | 'clock'>,
    Omit<LoadQueueParts<V>, 'hooks'> {
  readonly hooks: OnDemandHooks;
  /** Default: the process's own. */
  readonly clock?: Clock;
}

/**
 * Loads models when they are asked for, and unloads the least recently used ones to make room. A model is loaded with all its versions,
 * since they share its requests. Loads run one after the other, in the order in which the models were asked for.
 */
export class ModelsOnDemand<V extends RequestedVersion> implements ModelLoads {
  readonly #parts: ModelsOnDemandParts<V>;
  readonly #clock: Clock;
  readonly #room: ModelRoom<V>;
  readonly #queue: LoadQueue<V>;

  constructor(parts: ModelsOnDemandParts<V>) {
    const forecast = new LoadForecast();
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#room = new ModelRoom({ ...parts, clock: this.#clock, forecast });
    this.#queue = new LoadQueue(parts, this.#room, forecast, this.#clock);
  }

  /** Requests that wait for a model to be loaded. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /**
   * The version that a request means: at once if its model is loaded, or was. One that was answers from the cache without a load.
   * @throws VerdictError not_found, unavailable, resource_exhausted, deadline_exceeded; the signal's reason
   */
  resolve(request: ModelRequest, claim: LoadClaim): MaybePromise<V | AbsentVersion> {
    const { registry } = this.#parts;
    const found = registry.requested.ifLoaded(request);
    if (found !== undefined) return found;
    // Whoever is sent away by a version that is being stopped asks again: here that has to end.
    this.#queue.refuseStopping();
    const former = registry.requested.formerOf(request);
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
        throw tooManyWaiting(model, this.#queue.expectedMs(demand));
      await demand.waiters.wait(claim, 0);
    }
    registry.requested.touch(model);
    return registry.get(model);
  }

  async unload(model: string, signal: AbortSignal): Promise<ModelView> {
    const { registry, pinned, oneAtATime, onChanged } = this.#parts;
    registry.get(model);
    this.#queue.refuseStopping();
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
    return bounds.memoryBytes === 0 && this.#room.hasPlace && this.#queue.isEmpty;
  }

  /** The models that are loaded at the start. */
  firstOf(models: Iterable<string>): ReadonlySet<string> {
    return this.#room.firstOf(models);
  }

  /** A model was loaded otherwise: at the start, or by a reload. */
  onLoaded(model: string): void {
    this.#queue.onLoaded(model);
    this.#parts.registry.requested.touch(model);
  }

  /** A model could not be loaded at the start, or by a reload. @param reason for everybody to read */
  onFailed(model: string, reason: string): void {
    this.#queue.onFailed(model, reason);
  }

  /** Measures how much memory the sessions take, and unloads models until it is no more than it may be. */
  async keepWithinMemory(): Promise<void> {
    this.#queue.forgetGone();
    await this.#parts.oneAtATime(async () => {
      await this.#room.measure();
      await this.#room.giveMemoryBack();
    });
  }

  /** Gives up the load under way, and refuses all who wait. From now on no model is loaded. */
  stop(): void {
    this.#queue.stop();
  }

  /** Resolves when nothing is being loaded any more, or the signal aborts. Call `stop` before. */
  ended(signal: AbortSignal): Promise<void> {
    return this.#queue.ended(signal);
  }

  async #onceLoaded(request: ModelRequest, claim: LoadClaim): Promise<V> {
    const { registry } = this.#parts;
    const model = registry.requested.nameOf(request);
    for (;;) {
      await this.#wait(model, claim, request.input);
      const found = registry.requested.ifLoaded(request);
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
    const inMs = this.#queue.expectedMs(demand);
    const at = this.#clock.now() + inMs;
    if (at <= claim.deadlineAt && demand.waiters.hasRoom(claim.serviceClass, bytes))
      return demand.waiters.wait(claim, bytes);
    demand.expectBack(at);
    if (at <= claim.deadlineAt) throw this.#refused('waiting', tooManyWaiting(model, inMs));
    if (demand.loadingSince !== undefined || this.#room.placeInMs() === 0)
      throw this.#refused('deadline', loadTooLong(model, inMs));
    throw this.#refused('deadline', placesInUse(model, this.#parts.bounds.models, inMs));
  }

  /** @throws VerdictError where the model cannot be loaded now, whoever waits */
  #demand(model: string): ModelDemand {
    if (this.#room.places === 0 && !this.#parts.pinned.has(model))
      throw this.#refused('pinned', pinnedLeaveNoRoom(model));
    return this.#queue.demand(model);
  }

  #refused(cause: RefusedLoad, error: VerdictError): VerdictError {
    this.#parts.hooks.onRefused?.(cause);
    return error;
  }
}
